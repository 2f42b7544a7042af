"""Messages of the HTTP and WebSocket interface of a live session, except the commands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveStatus
from voicegraph.schemas.report import ProblemReport, Report


class _Message(BaseModel):
    """Base of received messages: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ParamValue(_Message):
    """The body of ``PUT /params/{name}``."""

    value: Any = Field(examples=[7])
    """The new value, as a pipeline file would hold it."""


class TokenMessage(_Message):
    """The first message of a WebSocket client that has not sent its token in the handshake."""

    token: str
    """The token that the session was started with."""


class Answer(Report):
    """The result of a command, or an error."""

    kind: Literal["answer"] = "answer"
    """Tells answers from statuses on a WebSocket."""
    ok: bool
    """Whether the command succeeded; a hot swap has then begun, and a message reports its end."""
    command: LiveCommand | None = None
    """The command that is answered; null if it could not be parsed."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """The errors; empty if the command succeeded."""


class StatusMessage(Report):
    """The message that a WebSocket sends periodically."""

    kind: Literal["status"] = "status"
    """Tells statuses from answers."""
    status: LiveStatus
    """The status of the session."""
