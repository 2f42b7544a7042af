"""What ``voicegraph replay`` found."""

from __future__ import annotations

from typing import Literal

from voicegraph.schemas.report import Report

ReplayResult = Literal["identical", "different", "changed"]
"""``changed``: it was run with overrides, so there is nothing to compare."""


class Difference(Report):
    """Where a replay leaves the recording, and how far."""

    block: int
    """The first block that differs."""
    second: float
    """When that begins, in seconds."""
    blocks: int
    """How many blocks differ."""
    peak_db: float
    """The largest difference, dB relative to full scale."""


class NotedEvent(Report):
    """Something that happened while it was recorded."""

    second: float
    """When, in seconds of input."""
    tick: int
    """Before or in which block."""
    text: str
    """What."""


class ReplayReport(Report):
    """A recording, run again."""

    recording: str
    """The events file."""
    pipeline: str
    """The pipeline's name."""
    result: ReplayResult
    """Whether the same came out."""
    blocks: int
    """Blocks of input that ran."""
    seconds: float
    """How long they are."""
    compared: int
    """Blocks of output that were compared; a recording that was cut off holds fewer."""
    difference: Difference | None
    """Where it differs."""
    circumstances: list[str]
    """What is otherwise here than where it was recorded, and may be why."""
    events: list[NotedEvent]
    """What happened, as far as it was noted."""
    output: str | None
    """Where the output was written."""
