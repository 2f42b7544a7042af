"""Requests and answers of the app's page server (``voicegraph app``), below ``/api``.

Errors are ``schemas.control.Answer``, as in a live session. Times of day are ISO 8601
with the zone; names of voices, presets, takes and experiments are compared with what there is, and
never become paths.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from voicegraph.schemas.report import ProblemReport, Report

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["heart"])]
"""Name of a voice, preset, take, pipeline or experiment: one of those that exist."""

QualityId = Literal["quick", "balanced", "safe"]
"""``quick`` has the least delay, ``safe`` the most reserve."""
DEFAULT_QUALITY: QualityId = "balanced"
"""The quality if none is chosen."""

SessionPhase = Literal["none", "starting", "running", "ended"]
"""``ended``: by a fault; a session that was stopped on purpose is ``none``."""

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
"""State of a job, and of each of its files; a job with failed files is ``failed``."""


_TEXT = r"^[^\x00-\x1f]*$"
"""Text without control characters, which no command line can hold."""


class _Request(BaseModel):
    """Base of received messages: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AppLimits(BaseModel):
    """What the page server grants its clients beside ``ControlLimits``; more is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    upload_bytes: int = Field(default=4 << 30, ge=1024)
    """Largest body of a request that carries files."""
    upload_files: int = Field(default=1000, ge=1)
    """Files in one upload, at most."""
    uploads: int = Field(default=4, ge=1)
    """Uploads that are received at a time; more are refused."""
    upload_bytes_s: float = Field(default=64 << 20, ge=1024)
    """Bytes a second of all uploads together; the rest waits."""
    upload_idle_s: float = Field(default=30, gt=0, le=3600)
    """Seconds without a byte after which an upload is given up."""
    reserve_bytes: int = Field(default=1 << 30, ge=0)
    """Free disk space that no upload may use up."""
    jobs: int = Field(default=32, ge=1)
    """Conversion jobs that are kept, finished ones included; the oldest of those make room."""
    jobs_bytes: int = Field(default=20 << 30, ge=1024)
    """Size of all jobs together."""
    job_days: float = Field(default=30, gt=0)
    """Age at which a job that has ended is removed."""
    level_clients: int = Field(default=8, ge=1)
    """Clients that watch the level of an input at a time."""


# ---- devices


class Device(Report):
    """A sound device in one direction."""

    id: str
    """What ``StartSession`` and ``/api/levels`` take; stable when other devices are plugged in."""
    name: str
    """Its name, for people."""
    host_api: str
    """The sound system that lists it: ``ALSA``, ``Windows WASAPI``, ``Core Audio``."""
    channels: int
    """Number of channels in this direction."""
    rate_hz: int
    """Its default sample rate."""
    default: bool
    """Whether it is the system's default in this direction."""


class Devices(Report):
    """``GET /api/devices``."""

    inputs: list[Device]
    """Devices that record, the default first."""
    outputs: list[Device]
    """Devices that play, the default first."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why there are none, if so; what to do."""
    no_virtual_microphone: list[ProblemReport] = Field(default_factory=list)
    """Why no virtual microphone can be made on this machine; empty if one can."""


class LevelMessage(Report):
    """What ``/api/levels`` sends 20 times a second."""

    kind: Literal["level"] = "level"
    """Tells levels from answers (a device that cannot be opened)."""
    peak_db: float
    """Peak since the last message, dB relative to full scale; never below -120."""
    rms_db: float
    """Root mean square since the last message."""


# ---- voices, qualities, controls


class Voice(Report):
    """A voice of the library, as a card shows it."""

    name: str
    """Its name in the library: what routes and ``vars.voice`` take."""
    title: str
    """Its name for people."""
    kind: Literal["source_filter", "rvc"]
    """The network that speaks: ours, or RVC's."""
    bundled: bool
    """Whether it comes with voicegraph, and cannot be removed."""
    licence: str | None
    """Its licence; null if its card states none."""
    description: str = ""
    """What its card says about it."""
    needs: list[ProblemReport] = Field(default_factory=list)
    """What is missing before it can speak, each with a fix; empty if it is ready."""
    notes: list[str] = Field(default_factory=list)
    """Remarks of its checks that do not prevent speaking."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of its card that fit it: dotted path -> value."""
    picture: bool = False
    """Whether ``GET /api/voices/NAME/picture`` has one."""
    rate_hz: int | None = None
    """Sample rate of what it speaks."""
    pipelines: list[str] = Field(default_factory=list)
    """Live pipelines that can speak with it, the best first."""
    parents: list[str] = Field(default_factory=list)
    """The voices that it was merged from."""


class Quality(Report):
    """A compromise between delay and reserve, for one voice."""

    id: QualityId
    """Its short name."""
    title: str
    """Its name for people."""
    text: str
    """What it is good for, in one sentence."""
    pipeline: str
    """The pipeline."""
    profile: str | None
    """The profile of the pipeline; null: none."""
    block_ms: float
    """Length of a block."""
    delay_ms: float
    """Algorithmic and buffering latency of the plan; the devices' own comes on top."""
    default: bool = False
    """Whether it is taken if none is chosen."""


class Control(Report):
    """One of the main controls of the page."""

    id: Literal[
        "pitch",
        "auto_pitch",
        "autotune",
        "autotune_key",
        "autotune_scale",
        "autotune_glide",
        "formant",
        "retrieval",
        "breath",
        "bass",
        "middle",
        "treble",
        "compressor",
        "compressor_makeup",
        "gate",
        "denoise",
        "input_gain",
        "output_gain",
    ]
    """Its short name."""
    label: str
    """Its name for people."""
    text: str
    """What it does, in one sentence."""
    param: str | None = None
    """The live param that it sets, ``node.param``; null for a mere switch."""
    node: str | None
    """The node that switching it off bypasses (command ``bypass``); null if it is always on."""
    on: bool = True
    """Whether its node is on before anybody switches it."""
    part_of: str | None = None
    """The control that switches its node; null if it has none, or switches it itself."""
    problem: ProblemReport | None = None
    """Why it cannot be switched on; null if it can."""
    minimum: float | None = None
    """Least value that makes sense, of a number; the param itself may allow less."""
    maximum: float | None = None
    """Greatest value that makes sense, of a number."""
    step: float | None = None
    """A step that can be heard, of a number."""
    choices: list[str] | None = None
    """All values, if it is one of a few."""
    default: float | bool | str
    """Where it begins, and where a double click resets it to."""
    unit: str | None = None
    """Its unit, such as ``semitones``, ``dB`` or ``%``."""
    scale: float = 1.0
    """What is shown = value of the param x scale; 100 for shares shown in percent."""


# ---- the session


class StartSession(_Request):
    """``POST /api/session``: what to start; a running session is replaced."""

    voice: Name | None = None
    """Name in the library; null: the preset's, or the bundled one."""
    input: str | None = Field(default=None, max_length=300, pattern=_TEXT)
    """``id`` of an input device; null: the system's default."""
    output: str | None = Field(default=None, max_length=300, pattern=_TEXT)
    """``id`` of an output device; null: the system's default."""
    quality: QualityId = DEFAULT_QUALITY
    """Delay against reserve; not used with a preset."""
    pipeline: Name | None = None
    """One of the voice's ``pipelines``; null: the first."""
    preset: Name | None = None
    """A preset to begin with; ``voice`` takes precedence over its voice."""
    overrides: dict[str, Any] = Field(default_factory=dict, max_length=200)
    """Dotted path -> value, as for ``--set``; files are named by the library's names only."""
    push_to_talk: StrictBool = False
    """Whether the input is muted until the talk key is pressed."""
    monitor: StrictBool = False
    """Whether the dry input is added to the output."""
    delay_ms: float | None = Field(default=None, ge=1, le=10_000, allow_inf_nan=False)
    """Constant delay from microphone to loudspeaker; null: the least that quality and devices
    give."""
    virtual_microphone: StrictBool = False
    """Whether a microphone for other programs is made and played to, in place of ``output``."""


class SessionState(Report):
    """``GET /api/session``, and the message when a session starts, changes or ends."""

    kind: Literal["session"] = "session"
    """Tells it from the other messages of ``/api/session/ws``."""
    state: SessionPhase
    """Whether one runs."""
    stage: str | None = None
    """What it is doing while it starts, such as ``loading weights``."""
    voice: str | None = None
    """Name of the voice in the library; null if it was not chosen from there."""
    pipeline: str | None = None
    """The pipeline."""
    profile: str | None = None
    """The profile that it was started with."""
    quality: QualityId | None = None
    """The quality that it was started with."""
    preset: str | None = None
    """The preset that it was started with, or that was loaded last."""
    input: str | None = None
    """``id`` of the input device that was asked for; null: the default."""
    output: str | None = None
    """``id`` of the output device that was asked for; null: the default."""
    delay_ms: float | None = None
    """The constant delay that was asked for; null: none."""
    virtual_microphone: bool = False
    """Whether it was asked to play to a virtual microphone."""
    since: datetime | None = None
    """When it was started."""
    ended: datetime | None = None
    """When it ended."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why it ended."""
    can_restart: bool = False
    """Whether ``POST /api/session/restart`` starts it again as it was started."""


class MeasureLatency(_Request):
    """``POST /api/latency``: measures the delay from microphone to loudspeaker by a test signal."""

    session: StartSession = StartSession()
    """What to measure if no session runs; else it is what runs, with its devices."""
    dry: StrictBool = False
    """Whether devices and buffers are measured alone, without the voice."""


class MeasuredLatency(Report):
    """The delay from microphone to loudspeaker, measured, and its parts."""

    measured: datetime
    """When."""
    pipeline: str
    """The pipeline that was measured."""
    voice: str | None
    """The voice; null without one."""
    dry: bool
    """Whether devices and buffers were measured alone."""
    input: str
    """The input device and its format."""
    output: str
    """The output device and its format."""
    measured_ms: float
    """Delay from input to output: the median of all measurements."""
    spread_ms: float
    """Difference of the longest and the shortest measurement."""
    runs: int
    """Number of measurements."""
    algorithmic_ms: float
    """Algorithmic latency: look-ahead and overlap of the pipeline."""
    buffering_ms: float
    """Buffering latency: one block to fill, one to play, and the reserve."""
    device_ms: float
    """Latency of both devices, as measured."""
    device_claimed_ms: float
    """Latency of both devices, as the sound system reports it."""
    late: int
    """Blocks that were late (overruns) during the measurement."""


class CheckSession(_Request):
    """``POST /api/session/check``: a change of the running pipeline, which is only checked."""

    overrides: dict[str, Any] = Field(min_length=1, max_length=200)
    """Dotted path -> value, as for the command ``swap``."""


class NodeProblem(Report):
    """A problem of a changed pipeline, and where it is."""

    node: str | None
    """The node that it belongs to; null if it concerns the whole pipeline."""
    problem: ProblemReport
    """What is wrong, and what to do."""


class CheckResult(Report):
    """Whether a change would be accepted."""

    ok: bool
    """Whether the changed pipeline compiles, and fits the running session."""
    problems: list[NodeProblem]
    """All problems; empty if it does."""
    delay_ms: float | None = None
    """Algorithmic and buffering latency of the changed pipeline, if it compiles."""


# ---- the graph


class GraphParam(Report):
    """One param of a node."""

    name: str
    """Name of the param within its node."""
    value: Any
    """Its value in the plan; that of a live param may have changed since: see the status."""
    default: Any = None
    """Its default, in the form of a pipeline file."""
    type: str
    """In words: ``number``, ``duration``, ``one of: soft, hard``."""
    minimum: float | None = None
    """Least value, if there is one."""
    maximum: float | None = None
    """Greatest value, if there is one."""
    choices: list[str] | None = None
    """All values, if it is one of a few."""
    unit: str | None = None
    """Its unit, such as ``semitones``."""
    live: bool
    """True: command ``set``. False: command ``swap`` with ``nodes.NODE.params.NAME``."""
    file: bool = False
    """Whether it names a file; only names of the library are accepted."""
    help: str = ""
    """What it does."""


class GraphNode(Report):
    """One node of the running pipeline; in the drawing, the element with the id ``node-NAME``."""

    name: str
    """Its name in the pipeline."""
    use: str
    """The node class, as ``family.name``."""
    interface: str | None
    """The port contract that it shares with its alternatives."""
    device: str
    """Where it runs."""
    dtype: str
    """The precision it computes in."""
    latency_ms: float
    """How far its newest output is behind the newest input."""
    driver: bool
    """Whether it was added to fit a device; such a node cannot be changed."""
    bypassed: bool
    """Whether it is switched off."""
    bypassable: bool
    """Whether its input can stand for its output."""
    alternatives: list[str]
    """Node classes of the same interface that can be loaded here, itself left out."""
    params: list[GraphParam]
    """In the order of the node's file."""
    summary: str = ""
    """What it does, in one line."""
    help: str = ""
    """Its documentation."""


class Graph(Report):
    """``GET /api/session/graph``."""

    pipeline: str
    """The pipeline's name."""
    svg: str
    """The drawing; each node is an element with the id ``node-NAME``."""
    nodes: list[GraphNode]
    """In the order of execution, bypassed ones last."""
    delay_ms: float
    """Algorithmic and buffering latency."""


# ---- presets


class Preset(Report):
    """A pipeline file that extends a shipped one."""

    name: str
    """Its name."""
    extends: str | None
    """The shipped pipeline that it changes."""
    voice: str | None
    """Its voice in the library."""
    description: str = ""
    """What it says about itself."""
    changed: datetime
    """When it was saved last."""
    changes: dict[str, Any] = Field(default_factory=dict)
    """What it changes: dotted path -> value."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why it cannot be loaded; empty if it can."""


class SavePreset(_Request):
    """``PUT /api/presets/NAME``: saves the running session's settings under a name."""

    description: str = Field(default="", max_length=500)
    """What it is, in the user's words."""
    replace: StrictBool = False
    """Whether a preset of that name may be overwritten."""


# ---- takes


class Mark(Report):
    """A moment of a take that a user marked."""

    seconds: float
    """When, in the recording."""
    text: str
    """What the user wrote; may be empty."""


class Take(Report):
    """A recording of a session: input, output and all changes."""

    name: str
    """Its name: when it was begun."""
    seconds: float
    """Its length."""
    bytes: int
    """Size of its files together."""
    started: datetime | None
    """When it was begun."""
    marks: list[Mark]
    """In the order of time."""
    pipeline: str | None
    """The pipeline that was recorded."""
    voice: str | None
    """The voice, if it has a name."""
    recording: bool = False
    """Whether it is being written now."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why it cannot be played or checked."""


class TakeCheck(Report):
    """``POST /api/takes/NAME/check``: whether a replay gives the same output."""

    name: str
    """The take."""
    same: bool
    """Whether it does, sample by sample or within the tolerance of the replay."""
    text: str
    """The result in one sentence."""
    lines: list[str]
    """The details, as ``voicegraph replay`` prints them."""


# ---- conversion of files


class JobSettings(_Request):
    """The part ``settings`` of ``POST /api/jobs``, as JSON text."""

    voice: Name
    """Name in the library."""
    quality: Literal["best", "live"] = "best"
    """``best`` takes the file pipeline of the voice, ``live`` the one that the session would."""
    preset: Name | None = None
    """A preset in place of quality."""
    overrides: dict[str, Any] = Field(default_factory=dict, max_length=200)
    """Dotted path -> value, as for ``--set``; files are named by the library's names only."""
    format: Literal["wav", "flac"] = "wav"
    """Format of the converted files."""


class JobFile(Report):
    """One file of a job."""

    number: int
    """Its number in routes, from 0."""
    name: str
    """Its name, with the folders that it came with; for people."""
    state: JobState
    """Its state."""
    seconds: float | None = None
    """Its length; null until it has been read."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why it failed."""
    notes: list[str] = Field(default_factory=list)
    """What a user should know about the result, such as samples that were clipped."""


class Job(Report):
    """Files that are converted in a process of their own."""

    id: str
    """Its name in routes."""
    state: JobState
    """Its state."""
    stage: str | None = None
    """What it is doing before the first sound is converted, such as ``loading weights``."""
    voice: str
    """Name of the voice."""
    pipeline: str
    """The pipeline."""
    created: datetime
    """When it was uploaded."""
    progress: float = Field(ge=0, le=1)
    """Share of all audio that is converted."""
    left_s: float | None = None
    """Expected time left; null if unknown."""
    skipped: int = 0
    """Uploaded files that are no sound, and were not kept."""
    files: list[JobFile]
    """In the order in which they came."""
    problems: list[ProblemReport] = Field(default_factory=list)
    """Why the whole job failed."""


# ---- files that a browser opens by itself


class OpenMedia(_Request):
    """``POST /api/passes``: asks for a cookie with which the browser may open one file."""

    path: str = Field(max_length=1000, pattern=r"^/", examples=["/experiments/trackers/page"])
    """Path of the file on this server, percent-encoded as in a link."""


# ---- experiments


class ExperimentPage(Report):
    """A finished experiment with a page."""

    name: str
    """Its name; the page is ``/experiments/NAME/page``."""
    title: str
    """What the experiment file calls it."""
    description: str = ""
    """What it says about itself."""
    finished: datetime | None
    """When it was finished."""
    bytes: int
    """Size of the page."""
