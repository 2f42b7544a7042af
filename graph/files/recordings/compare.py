"""Replays a recording and compares the output with the recorded one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from voicegraph.schemas.replay_report import Difference, NotedEvent, ReplayReport, ReplayResult

from ...pipeline import Plan
from ...signals import Audio
from .prerequisites import differences
from .reader import Recording
from .replay import run

_FLOOR_DB = -200.0
Sink = Callable[[np.ndarray], None]


def compare(
    plan: Plan, recording: Recording, *, changed: bool = False, sink: Sink | None = None
) -> ReplayReport:
    """Replays a recording.

    Args:
        plan: that of the recording, or a changed one.
        recording: the recording.
        changed: the plan is a changed one, so the output is not compared.
        sink: called with every output block, ``[streams, channels, samples]``.

    Raises:
        VoicegraphError: if the plan fails.
    """
    kind = plan.output_type
    then: Iterator[np.ndarray] = iter(())
    if not changed and isinstance(kind, Audio):
        then = recording.output(plan.samples_out, kind.channels)
    blocks = compared = count = 0
    first: int | None = None
    worst = 0.0
    for made, before in zip_longest(run(plan, recording), then):
        if made is None:
            break
        if sink is not None:
            sink(made)
        if before is not None:
            compared += 1
            off = _largest_difference(made, before)
            if off > 0:
                first = blocks if first is None else first
                count += 1
                worst = max(worst, off)
        blocks += 1
    block_s = float(plan.block)
    difference = None
    if first is not None:
        level = 20 * math.log10(worst) if math.isfinite(worst) else math.inf
        difference = Difference(
            block=first, second=first * block_s, blocks=count, peak_db=max(level, _FLOOR_DB)
        )
    result: ReplayResult = "changed" if changed else "different" if difference else "identical"
    return ReplayReport(
        recording=str(recording.path),
        pipeline=recording.header.pipeline,
        result=result,
        blocks=blocks,
        seconds=blocks * block_s,
        compared=compared,
        difference=difference,
        circumstances=differences(recording),
        events=[_noted_event(event, block_s) for event in recording.events],
        output=None,
    )


def _largest_difference(made: np.ndarray, before: np.ndarray) -> float:
    """The largest difference; 0 only if all bits agree."""
    if np.array_equal(made.view(np.uint32), before.view(np.uint32)):
        return 0.0
    off = np.abs(made.astype(np.float64) - before.astype(np.float64)).max()
    return float(off) if np.isfinite(off) and off > 0 else 1e-12 if off == 0 else math.inf


def _noted_event(event: dict[str, Any], block_s: float) -> NotedEvent:
    tick = event["tick"]
    return NotedEvent(tick=tick, second=tick * block_s, text=_event_text(event))


def _event_text(event: dict[str, Any]) -> str:
    match event:
        case {"set": param, "value": value}:
            return f"{param} = {value}"
        case {"reset": _}:
            return "reset"
        case {"exchange": overrides}:
            return "changed: " + (
                ", ".join(f"{path}={value}" for path, value in overrides.items())
                or "overrides removed"
            )
        case {"late": milliseconds, "blamed": node}:
            return f"overrun by {milliseconds:.1f} ms: {node}"
        case {"dropped": blocks}:
            return f"{blocks} blocks dropped"
        case {"realigned": milliseconds}:
            return f"delay corrected by {milliseconds:+.1f} ms"
        case {"silence": blocks}:
            return f"{blocks} silent blocks skipped"
    rest = {key: value for key, value in event.items() if key != "tick"}
    return ", ".join(f"{key}: {value}" for key, value in rest.items())
