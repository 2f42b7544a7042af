"""What ``voicegraph experiment report --json`` prints."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class PageReport(Report):
    """The page of a run."""

    file: str
    """The file."""
    bytes: int
    """Its size."""
    sounds: int
    """How many sounds it plays."""
    notes: tuple[str, ...] = ()
    """What it lacks, such as sounds that are no longer in the store."""
