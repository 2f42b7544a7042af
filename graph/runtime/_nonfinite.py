"""NaN or infinity inside the graph: names the node that made it, or resets the affected state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from ..errors import NodeFailedError, Problem

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode
    from .engine import Engine, Step

_FIX = "check its params and weights, or replace such values by silence: on_nan: silence"


def nonfinite_problem(plan: CompiledPlan, engine: Engine, position: int) -> tuple[Problem, str]:
    """The problem at the first node in running order that made NaN or infinity, and its name."""
    if (found := _first(plan, engine, position)) is not None:
        return found
    # The output is delayed against its node's newest values: the node made it some blocks ago.
    text = f"{plan.output} gave NaN or infinity, which reached the output in {_at(plan, position)}"
    return Problem("not-finite", text, fix=_FIX), plan.output.node


def cause_of_failure(
    plan: CompiledPlan, engine: Engine, position: int, error: NodeFailedError
) -> NodeFailedError:
    """The error at the node whose NaN made another one fail; the error itself without one.

    Libraries raise whatever they like on NaN: WORLD says that memory ran out.
    """
    names = [step.name for step in engine.steps]
    if error.node not in names:
        return error
    failed = engine.steps[names.index(error.node)]
    if all(torch.isfinite(engine.values[slot]).all() for _, slot in failed.gather):
        return error
    found = _first(plan, engine, position, names.index(error.node))
    if found is None:
        return error
    problem, node = found
    notes = (*problem.notes, (f"then {error.problems[0].message}", None))
    return NodeFailedError(replace(problem, notes=notes), node)


def _first(
    plan: CompiledPlan, engine: Engine, position: int, count: int | None = None
) -> tuple[Problem, str] | None:
    """The first of the first ``count`` nodes whose outputs are not finite."""
    for planned, step in list(zip(plan.nodes, engine.steps, strict=True))[:count]:
        for port, made in step.outputs.items():
            if not torch.isfinite(made).all():
                text = f"{step.name}.{port} gave NaN or infinity in {_at(plan, position)}"
                notes = tuple((note, None) for note in _input_notes(engine, planned, step))
                return Problem("not-finite", text, notes=notes, fix=_FIX), step.name
    return None


def _at(plan: CompiledPlan, position: int) -> str:
    return f"block {position}, {float(position * plan.block):.3f} s"


def _input_notes(engine: Engine, planned: PlannedNode, step: Step) -> list[str]:
    """Which inputs held such values: earlier ticks made them, no earlier node did at this one."""
    affected = [port for port, slot in step.gather if not torch.isfinite(engine.values[slot]).all()]
    return [
        f"its input `{port}` held such values: {planned.inputs[port].source} gave them earlier"
        for port in affected
    ] or ["its inputs were finite"]


def reset_nonfinite(engine: Engine) -> None:
    """Resets the state of affected streams, and sets such values in histories to zero."""
    for step in engine.steps:
        tensors = step.state.tensors().values() if step.state is not None else ()
        for stream in range(engine.streams):
            if not all(_finite(tensor[stream]) for tensor in tensors):
                step.reset(stream)
    for history in engine.histories.values():
        history.buffer.nan_to_num_(0.0, 0.0, 0.0)


def _finite(values: torch.Tensor) -> bool:
    return not values.is_floating_point() or bool(torch.isfinite(values).all())
