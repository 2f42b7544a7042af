"""How a live session ended: the file of ``live --end-report``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voicegraph.schemas.report import ProblemReport, Report


class LiveEnd(Report):
    """Written when the session has ended, also if it could not start.

    A process that is killed writes nothing.
    """

    format: Literal["voicegraph-end-1"] = "voicegraph-end-1"
    """Version of this file."""
    ok: bool
    """Whether it was stopped on purpose; False: a fault ended it."""
    pid: int
    """The process."""
    ended_unix_s: float
    """When, in seconds since 1970."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why it ended, and what to do; empty if ``ok``."""
