"""Messages of the HTTP and WebSocket interface of a live session, except the commands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveStatus
from voicegraph.schemas.plan_report import PlanReport
from voicegraph.schemas.report import ProblemReport, Report


class _Message(BaseModel):
    """Base of received messages: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ControlLimits(BaseModel):
    """What the control interfaces grant one client or all; more is refused, or counted as lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    connections: int = Field(default=128, ge=4, le=10_000)
    """Open connections of HTTP and WebSocket, at most; beyond that, the oldest that waits goes."""
    websocket_clients: int = Field(default=16, ge=1, le=1000)
    """WebSocket clients that are served at a time; they count once they have shown the token."""
    request_s: float = Field(default=10, gt=0, le=3600)
    """Seconds within which a request must have arrived, header and body."""
    token_s: float = Field(default=5, gt=0, le=3600)
    """Seconds within which a WebSocket client must have sent the token."""
    keep_alive_s: float = Field(default=5, gt=0, le=3600)
    """Seconds after a response in which the next request of a connection must begin."""
    send_s: float = Field(default=10, gt=0, le=3600)
    """Seconds within which a client must read what waits for it."""
    header_bytes: int = Field(default=16_384, ge=1024, le=1 << 24)
    """Largest header of a request."""
    body_bytes: int = Field(default=65_536, ge=1024, le=1 << 24)
    """Largest body of a request, and largest message of a WebSocket client."""
    refusals: int = Field(default=100, ge=4, le=100_000)
    """HTTP requests without the token that are answered in a second; more have to wait."""
    requests: int = Field(default=100, ge=4, le=100_000)
    """HTTP requests with access that read, answered in a second; more have to wait."""
    commands: int = Field(default=200, ge=4, le=100_000)
    """Commands by HTTP and WebSocket that are executed in a second; more have to wait."""
    osc_packets: int = Field(default=2000, ge=10, le=1_000_000)
    """OSC packets that are read in a second; more are lost."""
    osc_commands: int = Field(default=500, ge=10, le=100_000)
    """Commands by OSC that are executed in a second; values of one param are merged meanwhile."""


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
    """Whether the command succeeded; after a hot swap, its nodes are heard."""
    command: LiveCommand | None = None
    """The command that is answered; null if it could not be parsed."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """The errors; empty if the command succeeded."""


class HttpInfo(Report):
    """The file of ``live --http-info``: where a program reaches the session, and with what token.

    The file is private to the user, complete as soon as it exists, and removed when the session
    ends. After a crash it stays: a session that does not answer under ``url`` with ``token`` is no
    longer there.
    """

    format: Literal["voicegraph-http-1"] = "voicegraph-http-1"
    """Version of this file."""
    url: str
    """Address of the page and the routes, with a slash at the end: ``http://127.0.0.1:40123/``."""
    websocket: str
    """Address of the WebSocket: ``ws://127.0.0.1:40123/ws``."""
    token: str
    """What to send as ``Authorization: Bearer TOKEN``."""
    pid: int
    """The process."""
    started_unix_s: float
    """When the interface was opened, in seconds since 1970."""


class AudioFormat(Report):
    """The format of a device, as the session uses it."""

    rate_hz: str
    """Sample rate as an exact fraction: ``48000``, ``44100``."""
    channels: int
    """Number of channels."""


class RunningPipeline(Report):
    """The pipeline that a session runs now, with everything that was changed since it started.

    ``Pipeline.load(path, overrides, profiles=...)``, compiled for the two formats with at least
    ``latency_s``, gives the same plan again, as long as the files are the same.
    """

    name: str
    """Its name."""
    path: str | None
    """Its file; null for a pipeline built in Python."""
    profiles: list[str]
    """The profiles in force, in the order in which they apply."""
    overrides: dict[str, Any]
    """Everything else that was changed by dotted path, in order; not the values of live params."""
    input: AudioFormat
    """Format of the input device."""
    output: AudioFormat | None
    """Format of the output device; null if the pipeline's own was taken."""
    latency_s: str
    """Algorithmic latency in seconds as an exact fraction, which no change exceeds."""
    plan: PlanReport
    """The plan."""


class Profiles(Report):
    """The profiles of the pipeline of a session."""

    profiles: list[str]
    """Names of all profiles that the pipeline offers."""
    active: list[str]
    """Names of those in force, in the order in which they apply."""


SPECTRUM_BANDS = 64
"""Bands of a spectrum."""
SPECTRUM_EVERY_S = 0.05
"""Seconds of sound between two spectra."""


class SpectrumMessage(Report):
    """Spectra of input and output over the newest 85 ms, one for each 50 ms of sound.

    A WebSocket sends them with ``spectrum=true``.
    """

    kind: Literal["spectrum"] = "spectrum"
    """Tells spectra from other messages."""
    number: int
    """Counts messages from 1 on; a gap means that the client was too slow."""
    seconds: float
    """Seconds since the session started, at the end of the sound."""
    input: list[int] = Field(min_length=SPECTRUM_BANDS, max_length=SPECTRUM_BANDS)
    """Levels of 64 bands from 50 Hz to 12 kHz, equally wide on the mel scale: 0..255 for -90..0 dB
    relative to a sine of full scale."""
    output: list[int] = Field(min_length=SPECTRUM_BANDS, max_length=SPECTRUM_BANDS)
    """The same of the output."""
    pitch_hz: list[float | None] = Field(default_factory=list)
    """F0 of the input since the message before, in Hz, oldest first; null where unvoiced. Empty if
    the pipeline estimates none, or none has arrived."""


class StatusMessage(Report):
    """The message that a WebSocket sends periodically."""

    kind: Literal["status"] = "status"
    """Tells statuses from answers."""
    status: LiveStatus
    """The status of the session."""
