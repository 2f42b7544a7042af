"""NaN or infinity inside the graph: names the node that made it, or resets the affected state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..errors import Problem

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode
    from .engine import Engine, Step

_FIX = "check its params and weights, or replace such values by silence: on_nan: silence"


def nonfinite_problem(plan: CompiledPlan, engine: Engine, position: int) -> tuple[Problem, str]:
    """The problem at the first node in running order that made NaN or infinity, and its name."""
    where = f"block {position}, {float(position * plan.block):.3f} s"
    for planned, step in zip(plan.nodes, engine.steps, strict=True):
        for port, made in step.outputs.items():
            if not torch.isfinite(made).all():
                text = f"{step.name}.{port} gave NaN or infinity in {where}"
                notes = tuple((note, None) for note in _input_notes(engine, planned, step))
                return Problem("not-finite", text, notes=notes, fix=_FIX), step.name
    # The output is delayed against its node's newest values: the node made it some blocks ago.
    text = f"{plan.output} gave NaN or infinity, which reached the output in {where}"
    return Problem("not-finite", text, fix=_FIX), plan.output.node


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
