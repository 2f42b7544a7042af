"""The result of ``voicegraph replay``."""

from __future__ import annotations

from typing import Literal

from voicegraph.schemas.report import Report

ReplayResult = Literal["identical", "different", "partial", "nothing", "changed"]
"""``identical``: all blocks were compared, and agree bit by bit.
``partial``: those compared agree, but not all could be compared.
``nothing``: there was nothing to compare, or nothing to run.
``changed``: it was run with overrides, so nothing was compared."""


class Difference(Report):
    """Where and how far a replay differs from the recording."""

    block: int
    """The first block that differs."""
    second: float
    """Its start in seconds."""
    blocks: int
    """How many blocks differ."""
    peak_db: float
    """The largest difference, dB relative to full scale."""


class NotedEvent(Report):
    """An event during the recording."""

    second: float
    """Its time in seconds of input."""
    tick: int
    """The block in or before which it happened."""
    text: str
    """Its description."""
    mark: bool = False
    """A user has put it there."""


class ReplayReport(Report):
    """The result of running a recording again."""

    recording: str
    """The events file."""
    pipeline: str
    """The pipeline's name."""
    result: ReplayResult
    """Whether the output is the same."""
    blocks: int
    """Blocks of input that were processed."""
    seconds: float
    """Their duration."""
    recorded: int
    """Blocks that were recorded, by the sound files' headers and the events."""
    compared: int
    """Blocks of output that were compared; a truncated recording contains fewer."""
    missing: list[str]
    """Why not all recorded blocks were compared."""
    difference: Difference | None
    """The difference; null if there is none."""
    circumstances: list[str]
    """Differences between this machine and that of the recording, which may be the cause."""
    events: list[NotedEvent]
    """Recorded events."""
    output: str | None
    """The file that was written."""
