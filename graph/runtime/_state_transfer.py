"""State transfer of a hot swap: copies state, histories and live params to the new engine.

Both engines count time in the same way: the newest value of a port ends where its span ends. A
history is copied where both cover the same time; the rest fills as blocks are processed.
"""

from __future__ import annotations

from fractions import Fraction

import torch

from ..node_params import NodeParams
from ..plan import CompiledPlan, PlannedNode
from ..ports import PortRef
from .engine import Engine, Step


def transfer_state(old: Engine, new: Engine) -> Fraction:
    """Copies everything that fits from ``old``; called between two of its ticks.

    Returns:
        Seconds of signal that ``new`` must process until every history is filled.
    """
    known = {planned.name: planned for planned in old.plan.nodes}
    for planned, step in zip(new.plan.nodes, new.steps, strict=True):
        if planned.name in known:
            before = old.by_name[planned.name]
            _copy_live_params(known[planned.name], before, planned, step)
            if _same_computation(known[planned.name], planned):
                _copy_state(before, step)
    missing = [_copy_history(old, new, key) for key in new.histories]
    return max(missing, default=Fraction(0))


def _same_computation(old: PlannedNode, new: PlannedNode) -> bool:
    """Whether a node computes the same spans in both plans; its params may differ."""
    return old.use == new.use and old.asked == new.asked and old.given == new.given


def _copy_state(old: Step, new: Step) -> None:
    if old.state is None or new.state is None:
        return
    theirs, own = old.state.tensors(), new.state.tensors()
    shapes = {name: (t.shape, t.dtype) for name, t in own.items()}
    if shapes == {name: (t.shape, t.dtype) for name, t in theirs.items()}:
        for name, tensor in own.items():
            tensor.copy_(theirs[name])


def _copy_live_params(planned: PlannedNode, old: Step, replanned: PlannedNode, new: Step) -> None:
    """Live params keep their current values, except those that the new pipeline changes."""
    if planned.use != replanned.use:
        return
    kept = [
        name
        for name in type(planned.params).live_fields()
        if getattr(planned.params, name) == getattr(replanned.params, name)
    ]

    def updated(params: NodeParams) -> NodeParams:
        return replanned.params.model_copy(update={name: getattr(params, name) for name in kept})

    theirs = old.params
    new.params = [updated(own) for own in theirs] if isinstance(theirs, list) else updated(theirs)


# ---- histories --------------------------------------------------------------------------------


def _copy_history(old: Engine, new: Engine, key: str) -> Fraction:
    """Copies one history; returns the seconds until it is filled."""
    history = new.histories[key]
    ref = PortRef(*key.rpartition("@")[0].rsplit(".", 1))
    spec = new.plan.spec(ref)
    length = history.buffer.shape[history.axis]
    theirs = old.histories.get(key)
    if theirs is None or not _same_port(old.plan, new.plan, ref):
        history.buffer.zero_()
        return length / spec.rate
    late = (old.plan.spec(ref).interval.end - spec.interval.end) * spec.rate
    copied = _copy_newest(theirs.buffer, history.buffer, history.axis, int(late))
    # A gap at the newest end has to pass through the whole history.
    return (length if late < 0 else length - copied) / spec.rate


def _same_port(old: CompiledPlan, new: CompiledPlan, ref: PortRef) -> bool:
    """Whether both plans have this port, with the same signal type and on the same grid."""
    if ref.node != "input" and ref.node not in {planned.name for planned in old.nodes}:
        return False
    before, after = old.spec(ref), new.spec(ref)
    distance = (before.interval.end - after.interval.end) * after.rate
    return before.type == after.type and distance.denominator == 1


def _copy_newest(source: torch.Tensor, into: torch.Tensor, axis: int, late: int) -> int:
    """Copies the values up to ``late`` values before the newest; returns how many.

    If ``late`` is negative, ``into`` ends later than ``source``, and its end is left zero.
    """
    into.zero_()
    have, want = source.shape[axis], into.shape[axis]
    skipped, gap = max(late, 0), max(-late, 0)
    count = max(min(have - skipped, want - gap), 0)
    if count:
        part = source.narrow(axis, have - skipped - count, count)
        into.narrow(axis, want - gap - count, count).copy_(part)
    return count
