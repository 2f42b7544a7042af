"""Replays a recording and compares the output with the recorded one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from voicegraph.schemas.recorded_events import MarkEvent, RecordedEvent, UnknownEvent
from voicegraph.schemas.replay_report import Difference, NotedEvent, ReplayReport, ReplayResult

from ...metrics.sample_difference import bit_equal, largest_difference
from ...pipeline import Plan
from ...signals import Audio
from .paths import input_path, output_path
from .plan_identity import is_other_plan
from .prerequisites import differences
from .reader import Recording
from .replay import restores_start, run

_FLOOR_DB = -200.0
_SIGN_OF_ZERO = 1e-12
"""The difference of 0.0 and -0.0, whose bits differ."""
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
    channels = kind.channels if isinstance(kind, Audio) else 0
    found = _Comparison()
    then: Iterator[np.ndarray] = iter(())
    if not changed and channels:
        then = recording.output(plan.samples_out, channels)
    for made, before in zip_longest(run(plan, recording), then):
        if made is not None and sink is not None:
            sink(made)
        found.add(made, before)
    recorded = max(
        recording.recorded_blocks(plan.samples_out, 0 if changed else channels),
        found.blocks,
        found.then,
    )
    block_s = float(plan.block)
    return ReplayReport(
        recording=str(recording.path),
        pipeline=recording.header.pipeline,
        result=found.result(recorded, changed),
        blocks=found.blocks,
        seconds=found.blocks * block_s,
        recorded=recorded,
        compared=found.compared,
        missing=[]
        if changed and found.blocks
        else found.missing(recording, recorded, bool(channels)),
        difference=found.difference(block_s),
        circumstances=[
            *differences(recording),
            *_other_plan(plan, recording),
            *_other_start(plan, recording),
            *_other_precisions(plan, recording),
            *_unknown(recording),
        ],
        events=[_noted_event(event, block_s) for event in recording.events],
        output=None,
    )


@dataclass(slots=True)
class _Comparison:
    """Counts blocks: ``blocks`` of the replay, ``then`` of the recording."""

    blocks: int = 0
    then: int = 0
    compared: int = 0
    first: int | None = None
    count: int = 0
    worst: float = 0.0

    def add(self, made: np.ndarray | None, before: np.ndarray | None) -> None:
        if made is not None and before is not None:
            self.compared += 1
            off = _largest_difference(made, before)
            if off > 0:
                self.first = self.blocks if self.first is None else self.first
                self.count += 1
                self.worst = max(self.worst, off)
        self.blocks += made is not None
        self.then += before is not None

    def difference(self, block_s: float) -> Difference | None:
        if self.first is None:
            return None
        level = 20 * math.log10(self.worst) if math.isfinite(self.worst) else math.inf
        return Difference(
            block=self.first,
            second=self.first * block_s,
            blocks=self.count,
            peak_db=max(level, _FLOOR_DB),
        )

    def result(self, recorded: int, changed: bool) -> ReplayResult:
        if self.count:
            return "different"
        if not self.blocks or not (self.compared or changed):
            return "nothing"
        if changed:
            return "changed"
        return "identical" if self.compared == recorded else "partial"

    def missing(self, recording: Recording, recorded: int, audio: bool) -> list[str]:
        """Why fewer blocks were compared than recorded."""
        name = input_path(recording.path).name
        if not recorded:
            return [f"nothing was recorded: {name} holds no block"]
        found = []
        if self.blocks < recorded:
            found.append(f"{name} holds {self.blocks} of {recorded} recorded blocks")
        name = output_path(recording.path).name
        if not audio:
            found.append("the output is no audio, and a recording holds audio only")
        elif not output_path(recording.path).is_file():
            found.append(f"{name} is missing")
        elif self.then < recorded:
            found.append(f"{name} holds {self.then} of {recorded} recorded blocks")
        return found


def _other_plan(plan: Plan, recording: Recording) -> list[str]:
    if not is_other_plan(plan, recording):
        return []
    return [f"plan: {recording.header.plan:.40} then, {plan.hash} now"]


def _other_start(plan: Plan, recording: Recording) -> list[str]:
    if recording.header.start is None or restores_start(plan, recording):
        return []
    return ["start: the session's state then, a new session's now, since the plan is another one"]


def _other_precisions(plan: Plan, recording: Recording) -> list[str]:
    """Nodes that computed in a precision which `dtype: auto` cannot have on this machine."""
    setup = recording.header.setup
    return [
        f"{name} computed in {setup.nodes[name].precision} then, in {now.dtype} now"
        for name, now in plan.precisions.items()
        if setup is not None and name in setup.nodes and setup.nodes[name].precision != now.dtype
    ]


def _unknown(recording: Recording) -> list[str]:
    """Events that could not be replayed, since a newer version or another program wrote them."""
    kinds = recording.unknown_kinds()
    return [f"events of kinds that this version does not know: {', '.join(kinds)}"] if kinds else []


def _largest_difference(made: np.ndarray, before: np.ndarray) -> float:
    """The largest difference; 0 only if all bits agree."""
    if bit_equal(before, made):
        return 0.0
    return largest_difference(before, made) or _SIGN_OF_ZERO


def _noted_event(event: RecordedEvent, block_s: float) -> NotedEvent:
    text = f"unknown kind: {event.text}" if isinstance(event, UnknownEvent) else event.text
    mark = isinstance(event, MarkEvent)
    return NotedEvent(tick=event.tick, second=event.tick * block_s, text=text, mark=mark)
