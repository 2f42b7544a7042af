"""The state of a recording while it is being written."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class RecordingState(Report):
    """A recording that a session writes."""

    path: str
    """The events file."""
    stopped: str | None = None
    """Why nothing more is written; null while it records."""
    recorded_s: float = 0.0
    """Seconds of input in the file."""
    bytes: int = 0
    """Size of both sound files."""
    behind: float = 0.0
    """How full the queue before the disk is, 0..1; at 1 the recording stops."""
    free_bytes: int | None = None
    """Free space of the disk; null if unknown."""
    left_s: float | None = None
    """Seconds of audio that still fit on the disk; null if unknown."""
