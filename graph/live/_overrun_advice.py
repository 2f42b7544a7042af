"""What to set differently where a session keeps being late, from its own measurements."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from voicegraph.schemas.live_status import LateReport
from voicegraph.schemas.quantities import format_duration

from ..pipeline import Pipeline
from ..plan import CompiledPlan, PlannedNode
from ..runtime.timing import Timing

_OFTEN = 3
"""Late blocks in a minute that are more than bad luck."""
_FULL = 0.85
"""Part of a block that may be computed on: the rest is for the machine's other business."""
_MUCH = 0.25
"""Part of the time from which on a node is worth being changed."""
_CHEAP_F0 = "f0.dio"
_LONG = 4
"""Blocks of context from which on a shorter one is worth a try."""


def advise(
    plan: CompiledPlan, timings: Mapping[str, Timing], late: LateReport, block_ms: float
) -> list[str]:
    """What would fit, most helpful first; nothing while all is well."""
    total = timings["total"]
    if late.last_minute < _OFTEN or not total.ticks:
        return []
    if total.p99_ms < _FULL * block_ms:
        return [
            f"blocks take {total.p99_ms:.0f} of {block_ms:.0f} ms and still come late: another "
            "program takes the processor, or the thread wakes up late: try --margin 10ms"
        ]
    costly = sorted(plan.nodes, key=lambda node: -timings[node.name].median_ms)
    found = [
        text
        for node in costly
        if timings[node.name].median_ms > _MUCH * total.median_ms
        for text in _of_node(plan, node, timings[node.name], block_ms)
    ]
    return [*found, _larger_block(total, block_ms)]


def _of_node(plan: CompiledPlan, node: PlannedNode, timing: Timing, block_ms: float) -> list[str]:
    takes = f"{node.name} takes {timing.median_ms:.0f} of {block_ms:.0f} ms"
    if node.node.interface == "F0Estimator" and node.use != _CHEAP_F0:
        return [f"{takes}: a cheaper tracker is --set nodes.{node.name}.use={_CHEAP_F0}"]
    spans = [spec.interval.end - spec.interval.start for spec in node.asked.values() if spec.window]
    span = max(spans, default=Fraction(0))
    if span <= _LONG * plan.block:
        return []
    half = format_duration(span / 2)
    names = plan.origin.loaded.file.vars if isinstance(plan.origin, Pipeline) else {}
    how = f"--set vars.extra={half}" if "extra" in names else "a shorter context"
    return [f"{takes} on {format_duration(span)} of context: {how}"]


def _larger_block(total: Timing, block_ms: float) -> str:
    """Assumes the worst: that a block costs the same whatever its length, in steps of 10 ms."""
    needed = max(total.p99_ms / _FULL, 1.2 * block_ms)
    size = format_duration(Fraction(10 * ceil(needed / 10), 1000))
    return (
        f"blocks take {total.p99_ms:.0f} of {block_ms:.0f} ms: a larger block is --set block={size}"
    )
