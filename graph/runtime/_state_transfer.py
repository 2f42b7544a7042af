"""What a new engine takes over from the one that runs: state, histories, live params.

Time is counted alike by both: what a port made last ends where its span ends. A history is taken
over as far as both cover the same time; what is missing fills up as blocks go through.
"""

from __future__ import annotations

from fractions import Fraction

import torch

from ..node import NodeParams
from ..plan import CompiledPlan, PlannedNode
from ..ports import PortRef
from .engine import Engine, Step


def inherit(old: Engine, new: Engine) -> Fraction:
    """Copies all that fits from ``old``, between two of its ticks.

    Returns:
        Seconds that must go through ``new`` until no history has a hole.
    """
    known = {planned.name: planned for planned in old.plan.nodes}
    for planned, step in zip(new.plan.nodes, new.steps, strict=True):
        if planned.name in known:
            before = old.by_name[planned.name]
            _take_params(known[planned.name], before, planned, step)
            if _alike(known[planned.name], planned):
                _take_state(before, step)
    missing = [_take_history(old, new, key) for key in new.histories]
    return max(missing, default=Fraction(0))


def _alike(old: PlannedNode, new: PlannedNode) -> bool:
    """Whether a node does the same at each tick, if perhaps with other params."""
    return old.use == new.use and old.asked == new.asked and old.given == new.given


def _take_state(old: Step, new: Step) -> None:
    if old.state is None or new.state is None:
        return
    theirs, own = old.state.tensors(), new.state.tensors()
    shapes = {name: (t.shape, t.dtype) for name, t in own.items()}
    if shapes == {name: (t.shape, t.dtype) for name, t in theirs.items()}:
        for name, tensor in own.items():
            tensor.copy_(theirs[name])


def _take_params(planned: PlannedNode, old: Step, replanned: PlannedNode, new: Step) -> None:
    """Live params keep what they were set to, but for those that the new pipeline changes."""
    if planned.use != replanned.use:
        return
    kept = [
        name
        for name in type(planned.params).live_fields()
        if getattr(planned.params, name) == getattr(replanned.params, name)
    ]

    def taken(params: NodeParams) -> NodeParams:
        return replanned.params.model_copy(update={name: getattr(params, name) for name in kept})

    theirs = old.params
    new.params = [taken(own) for own in theirs] if isinstance(theirs, list) else taken(theirs)


# ---- histories --------------------------------------------------------------------------------


def _take_history(old: Engine, new: Engine, key: str) -> Fraction:
    """Copies one history; the seconds until it has no hole."""
    history = new.histories[key]
    ref = PortRef(*key.rpartition("@")[0].rsplit(".", 1))
    spec = new.plan.spec(ref)
    length = history.buffer.shape[history.axis]
    theirs = old.histories.get(key)
    if theirs is None or not _same_port(old.plan, new.plan, ref):
        history.buffer.zero_()
        return length / spec.rate
    late = (old.plan.spec(ref).interval.end - spec.interval.end) * spec.rate
    taken = _shift(theirs.buffer, history.buffer, history.axis, int(late))
    # A hole at the newer end goes through all of it before it is gone.
    return (length if late < 0 else length - taken) / spec.rate


def _same_port(old: CompiledPlan, new: CompiledPlan, ref: PortRef) -> bool:
    """Whether a port of this name is there in both, and makes the same kind of signal."""
    if ref.node != "input" and ref.node not in {planned.name for planned in old.nodes}:
        return False
    before, after = old.spec(ref), new.spec(ref)
    distance = (before.interval.end - after.interval.end) * after.rate
    return before.type == after.type and distance.denominator == 1


def _shift(source: torch.Tensor, into: torch.Tensor, axis: int, late: int) -> int:
    """Copies the newest values; those that lie ``late`` values back come last. How many."""
    into.zero_()
    have, want = source.shape[axis], into.shape[axis]
    leave, hole = max(late, 0), max(-late, 0)
    count = max(min(have - leave, want - hole), 0)
    if count:
        part = source.narrow(axis, have - leave - count, count)
        into.narrow(axis, want - hole - count, count).copy_(part)
    return count
