"""What to do when NaN or infinity appears inside the graph: name the node, or heal and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..errors import Problem

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode
    from .engine import Engine, Step

_FIX = "look at its params and weights, or let it count as silence: on_nan: silence"


def problem(plan: CompiledPlan, engine: Engine, position: int) -> Problem:
    """Names the first node in running order that made a value that is not finite."""
    where = f"block {position}, {float(position * plan.block):.3f} s"
    for planned, step in zip(plan.nodes, engine.steps, strict=True):
        for port, made in step.outputs.items():
            if not torch.isfinite(made).all():
                text = f"{step.name}.{port} gave NaN or infinity in {where}"
                notes = tuple((note, None) for note in _came_in(engine, planned, step))
                return Problem("not-finite", text, notes=notes, fix=_FIX)
    # The output lies behind what its node makes: it was made some blocks ago.
    text = f"{plan.output} gave NaN or infinity, which reached the output in {where}"
    return Problem("not-finite", text, fix=_FIX)


def _came_in(engine: Engine, planned: PlannedNode, step: Step) -> list[str]:
    """Whether it came in, and then from where: no node before this one made it at this tick."""
    spoilt = [port for port, slot in step.gather if not torch.isfinite(engine.values[slot]).all()]
    return [
        f"its input `{port}` held such values: {planned.inputs[port].source} gave them earlier"
        for port in spoilt
    ] or ["its inputs were finite"]


def heal(engine: Engine) -> None:
    """Brings poisoned memory back: state of the streams it hit to the start, history to silence."""
    for step in engine.steps:
        tensors = step.state.tensors().values() if step.state is not None else ()
        for stream in range(engine.streams):
            if not all(_finite(tensor[stream]) for tensor in tensors):
                step.begin(stream)
    for history in engine.histories.values():
        history.buffer.nan_to_num_(0.0, 0.0, 0.0)


def _finite(values: torch.Tensor) -> bool:
    return not values.is_floating_point() or bool(torch.isfinite(values).all())
