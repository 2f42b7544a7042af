"""What the HTTP and WebSocket interface of a live session says and takes, beside the commands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveStatus
from voicegraph.schemas.report import ProblemReport, Report


class _Message(BaseModel):
    """Base of what is taken: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ParamValue(_Message):
    """The body of ``PUT /params/{name}``."""

    value: Any = Field(examples=[7])
    """The new value, as a pipeline file would hold it."""


class Greeting(_Message):
    """The first message of a WebSocket client that has not shown its token yet."""

    token: str
    """The token that the session was begun with."""


class Answer(Report):
    """Whether something was done; every error, too."""

    kind: Literal["answer"] = "answer"
    """Tells answers from statuses on a WebSocket."""
    ok: bool
    """Whether it was done; of an exchange of nodes, whether it was begun: messages tell the end."""
    command: LiveCommand | None = None
    """What was asked, so that answers find their questions; null where it was not understood."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """What is wrong; empty if it was done."""


class StatusMessage(Report):
    """What a WebSocket sends again and again."""

    kind: Literal["status"] = "status"
    """Tells statuses from answers."""
    status: LiveStatus
    """What the session is doing."""
