"""What ``voicegraph inspect`` says of a recording."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class RecordedMark(Report):
    """A mark that a user has put."""

    seconds: float
    """Its time in the recording."""
    text: str
    """Its text; may be empty."""


class RecordingSummary(Report):
    """A recording, without a replay."""

    path: str
    """The events file, as given."""
    pipeline: str
    """The pipeline's name."""
    seconds: float
    """Duration of the input."""
    blocks: int
    """Blocks of input."""
    block_ms: float
    """Length of a block."""
    begun_s: float | None
    """Seconds of the session before the recording began, for a take; null if it is the whole
    session."""
    rate_hz: float
    """Sample rate of the input."""
    channels: int
    """Channels of the input."""
    streams: int
    """Independent streams."""
    size_bytes: int
    """Size of all files of the recording."""
    marks: list[RecordedMark]
    """The marks in it."""
    events: dict[str, int]
    """Other events: kind -> how many."""
    files: list[str]
    """Model files and others that a replay needs."""
