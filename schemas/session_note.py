"""What the page server notes about the live session that it started, for the one after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from voicegraph.schemas.app import StartSession
from voicegraph.schemas.report import Report


class SessionLaunch(Report):
    """A session as it is started: what was asked for, and what that means."""

    request: StartSession
    """What was asked for; ``restart`` asks for it again."""
    pipeline: str
    """Name of the pipeline."""
    path: str
    """What ``voicegraph live`` takes: that name, or the file of a preset."""
    profile: str | None = None
    """Profile of the pipeline."""
    voice: str | None = None
    """Name of the voice in the library."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Dotted path -> value, in order: the voice's, the quality's, those asked for."""
    room_ms: float = 0.0
    """Algorithmic latency that is kept free for nodes that are switched on later."""


class SessionNote(Report):
    """The file of a session that was started; it stays until another one is started."""

    format: Literal["voicegraph-session-1"] = "voicegraph-session-1"
    """Version of this file."""
    folder: str
    """Folder of its files: address and token, end report, log."""
    pid: int | None
    """Its process; null until that runs."""
    process_started: float | None
    """When that process began, in seconds since 1970: numbers of processes are used again."""
    since: datetime
    """When it was started."""
    launch: SessionLaunch
    """How it was started."""
    stopped: bool = False
    """Whether it was asked to stop: however it ends then, that is no fault."""
