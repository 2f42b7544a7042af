"""Runs a recording again and compares what comes out with what came out then."""

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
Take = Callable[[np.ndarray], None]


def compare(
    plan: Plan, recording: Recording, *, changed: bool = False, take: Take | None = None
) -> ReplayReport:
    """Runs a recording.

    Args:
        plan: that of the recording, or a changed one.
        recording: which.
        changed: the plan is another one: nothing is compared.
        take: is given every output block, ``[streams, channels, samples]``.

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
        if take is not None:
            take(made)
        if before is not None:
            compared += 1
            off = _off(made, before)
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
        events=[_noted(event, block_s) for event in recording.events],
        output=None,
    )


def _off(made: np.ndarray, before: np.ndarray) -> float:
    """The largest difference; 0 only where all bits agree."""
    if np.array_equal(made.view(np.uint32), before.view(np.uint32)):
        return 0.0
    off = np.abs(made.astype(np.float64) - before.astype(np.float64)).max()
    return float(off) if np.isfinite(off) and off > 0 else 1e-12 if off == 0 else math.inf


def _noted(event: dict[str, Any], block_s: float) -> NotedEvent:
    tick = event["tick"]
    return NotedEvent(tick=tick, second=tick * block_s, text=_words(event))


def _words(event: dict[str, Any]) -> str:
    match event:
        case {"set": param, "value": value}:
            return f"{param} = {value}"
        case {"reset": _}:
            return "reset"
        case {"exchange": overrides}:
            return "changed: " + (
                ", ".join(f"{path}={value}" for path, value in overrides.items()) or "all back"
            )
        case {"late": milliseconds, "blamed": node}:
            return f"late by {milliseconds:.1f} ms: {node}"
        case {"dropped": blocks}:
            return f"{blocks} blocks left out"
        case {"realigned": milliseconds}:
            return f"delay set right by {milliseconds:+.1f} ms"
        case {"silence": blocks}:
            return f"{blocks} blocks of silence rested"
    rest = {key: value for key, value in event.items() if key != "tick"}
    return ", ".join(f"{key}: {value}" for key, value in rest.items())
