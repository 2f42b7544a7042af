"""A conversion job as it lies on the disk: what was asked, and how far it is.

``request.json`` is written once, before the folder gets its name; ``status.json`` is replaced by
the process that converts. Whether that process lives is not written anywhere: it holds the lock.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from voicegraph.schemas.app import JobState
from voicegraph.schemas.report import ProblemReport, Report


class JobInput(Report):
    """A file that was uploaded."""

    name: str
    """Its name for people, with the folders that it came with."""
    stored: str = Field(pattern=r"^[0-9]{4,6}(\.[a-z0-9]{1,5})?$")
    """Its name in the job's folder ``in``."""
    bytes: int = Field(ge=0)
    """Its size."""


class JobRequest(Report):
    """What a job converts, and how."""

    kind: Literal["voicegraph-job-1"] = "voicegraph-job-1"
    """Version of the format."""
    created: datetime
    """When it was uploaded."""
    voice: str
    """Name of the voice in the library."""
    pipeline: str
    """Name of the pipeline or preset, for people."""
    source: str
    """What is loaded: name of a bundled pipeline, or ``preset.yaml`` in the job's folder."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Dotted path -> value."""
    confined: list[Path]
    """Folders in which the pipeline may read files."""
    format: Literal["wav", "flac"]
    """Format of the outputs."""
    skipped: int = 0
    """Uploaded files that were no sound, and were not kept."""
    files: list[JobInput] = Field(min_length=1)
    """In the order in which they came."""


class JobFileStatus(Report):
    """How far one file is."""

    state: JobState = "waiting"
    """Its state."""
    seconds: float | None = None
    """Its length; null until it has been read."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why it failed."""
    notes: list[str] = Field(default_factory=list)
    """What a user should know about the result."""


class JobStatus(Report):
    """How far a job is; as of the last time that its process wrote it."""

    state: JobState = "waiting"
    """Its state."""
    pid: int | None = None
    """The process that converts; it lives if it holds the folder's lock."""
    stage: str | None = None
    """What is done before the first sound is converted, such as ``loading weights``."""
    progress: float = Field(default=0.0, ge=0, le=1)
    """Share of all audio that is converted."""
    left_s: float | None = None
    """Expected time left; null if unknown."""
    files: list[JobFileStatus] = Field(default_factory=list)
    """As in the request."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why the whole job failed."""
