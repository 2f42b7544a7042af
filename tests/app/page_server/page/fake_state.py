"""The state of a fake page server: what its routes answer, as the models of the real one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from voicegraph.schemas.app import (
    AppLimits,
    Control,
    Device,
    Devices,
    ExperimentPage,
    Job,
    JobFile,
    Mark,
    MeasuredLatency,
    MeasureLatency,
    Preset,
    Quality,
    SessionState,
    StartSession,
    Take,
    Voice,
)
from voicegraph.schemas.live_health import LateReport, LiveHealth
from voicegraph.schemas.live_status import (
    DriftReport,
    EndReport,
    LiveLatency,
    LiveParam,
    LiveStatus,
    LoggedMessage,
    NodeLoad,
)
from voicegraph.schemas.report import ProblemReport

BEGUN = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)


def problem(message: str, fix: str | None = None, **place: Any) -> ProblemReport:
    """A problem as the server reports it."""
    at = {"where": None, "line": None, "column": None, "notes": [], **place}
    return ProblemReport(code="fake", message=message, fix=fix, **at)


def _device(id: str, name: str, default: bool) -> Device:  # noqa: A002
    return Device(id=id, name=name, host_api="ALSA", channels=2, rate_hz=48000, default=default)


def devices() -> Devices:
    """Two microphones and a loudspeaker."""
    return Devices(
        inputs=[_device("mic", "Built-in microphone", True), _device("usb", "USB", False)],
        outputs=[_device("out", "Loudspeaker", True)],
    )


MISSING = problem("No content encoder of 256 dimensions.", "voicegraph voice add hubert_base.pt")


def voices() -> list[Voice]:
    """Two that come along, one RVC voice, and one that lacks its encoder."""
    common = {"pipelines": ["default-live"], "rate_hz": 24000}
    ours = {"kind": "source_filter", "bundled": True, "licence": "Apache-2.0", **common}
    rvc = {"kind": "rvc", "bundled": False, "pipelines": ["rvc-live"], "rate_hz": 40000}
    return [
        Voice(name="heart", title="Heart", description="A woman's voice.", **ours),
        Voice(name="michael", title="Michael", **ours),
        Voice(name="alice", title="Alice <b>", licence=None, notes=["It has no index."], **rvc),
        Voice(name="old", title="Old model", licence="CC BY 4.0", needs=[MISSING], **rvc),
    ]


def qualities() -> list[Quality]:
    """The three compromises."""
    rows = [("quick", "Quick", 120.0), ("balanced", "Balanced", 195.0), ("safe", "Safe", 390.0)]
    texts = ["For talking with someone.", "For most machines.", "For a machine that is busy."]
    return [
        Quality(
            id=id_,  # pyright: ignore[reportArgumentType]
            title=title,
            text=text,
            pipeline="default-live",
            profile=None,
            block_ms=40,
            delay_ms=delay,
            default=id_ == "balanced",
        )
        for (id_, title, delay), text in zip(rows, texts, strict=True)
    ]


def controls() -> list[Control]:
    """Sliders, one of them with a switch, and a mere switch."""
    pitch = Control(
        id="pitch",
        label="Pitch",
        text="Higher or lower than the voice usually speaks.",
        param="pitch.transpose",
        node=None,
        minimum=-12,
        maximum=12,
        step=0.5,
        default=0.0,
        unit="semitones",
    )
    shares = {"minimum": 0.0, "maximum": 1.0, "step": 0.01, "unit": "%", "scale": 100}
    retrieval = Control(
        id="retrieval",
        label="Retrieval",
        text="How much of the sounds is taken from the voice's own recordings.",
        param="retrieval.rate",
        node="retrieval",
        default=0.5,
        **shares,
    )
    denoise = Control(
        id="denoise",
        label="Noise suppression",
        text="Takes steady noise out of the input.",
        param=None,
        node="denoise",
        default=True,
    )
    return [pitch, retrieval, denoise]


def more_controls() -> list[Control]:
    """Autotune, which is off, with a part; and automatic pitch, which cannot be switched on."""
    autotune = Control(
        id="autotune",
        label="Autotune",
        text="Pulls the voice to the notes of a scale.",
        param="tune.strength",
        node="tune",
        on=False,
        minimum=0,
        maximum=1,
        step=0.05,
        default=1.0,
        unit="%",
        scale=100,
    )
    key = Control(
        id="autotune_key",
        label="Key",
        text="The note that the scale begins with.",
        param="tune.key",
        node=None,
        on=False,
        part_of="autotune",
        choices=["C", "C#", "D"],
        default="C",
    )
    auto = Control(
        id="auto_pitch",
        label="Automatic pitch",
        text="Moves your pitch to where this voice speaks.",
        node="auto",
        on=False,
        default=False,
        problem=problem("It is not known where this voice's pitch lies.", "measure it"),
    )
    return [autotune, key, auto]


def measurement(request: MeasureLatency) -> MeasuredLatency:
    """A delay that is as its parts say."""
    return MeasuredLatency(
        measured=datetime.now(UTC),
        pipeline="default-live",
        voice=request.session.voice,
        dry=request.dry,
        input="Built-in microphone, 48000 Hz, mono",
        output="Loudspeaker, 48000 Hz, mono",
        measured_ms=209,
        spread_ms=0.4,
        runs=3,
        algorithmic_ms=115,
        buffering_ms=80,
        device_ms=13,
        device_claimed_ms=22,
        late=0,
    )


def takes() -> list[Take]:
    """One take with two marks."""
    marks = [Mark(seconds=0.4, text="hello"), Mark(seconds=0.9, text="")]
    common = {"seconds": 1.5, "bytes": 432_000, "pipeline": "default-live", "voice": "heart"}
    return [Take(name="2026-03-04-103000", started=BEGUN, marks=marks, **common)]


def experiments() -> list[ExperimentPage]:
    """One finished experiment."""
    return [
        ExperimentPage(
            name="streaming-vc",
            title="Delay against quality",
            description="Four encoders at five delays.",
            finished=BEGUN,
            bytes=8_400_000,
        )
    ]


def job(number: int, voice: str, names: list[str], format_: str) -> Job:
    """A job that waits."""
    files = [JobFile(number=i, name=name, state="waiting") for i, name in enumerate(names)]
    return Job(
        id=f"job{number}",
        state="waiting",
        voice=voice,
        pipeline=f"default ({format_})",
        created=datetime.now(UTC),
        progress=0,
        files=files,
    )


def presets() -> list[Preset]:
    """One that can be loaded, and one that cannot."""
    lost = problem("Its voice bob is not in the library.", "voicegraph voice add bob.pth")
    return [
        Preset(name="deep", extends="default-live", voice="michael", changed=BEGUN),
        Preset(name="lost", extends="rvc-live", voice="bob", changed=BEGUN, problems=[lost]),
    ]


@dataclass
class FakeState:
    """What the fake answers; tests change it, and look at what came in.

    Attributes:
        started: bodies of ``POST /api/session``.
        commands: commands, from both ways, as dictionaries.
        refuse: route -> what it answers in place of its result, with the status.
        uploads: route -> names of files in each upload.
        lost_sounds: sounds are answered, and never come.
    """

    devices: Devices = field(default_factory=devices)
    voices: list[Voice] = field(default_factory=voices)
    presets: list[Preset] = field(default_factory=presets)
    takes: list[Take] = field(default_factory=takes)
    experiments: list[ExperimentPage] = field(default_factory=experiments)
    jobs: list[Job] = field(default_factory=list)
    session: SessionState = field(default_factory=lambda: SessionState(state="none"))
    started: list[StartSession] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, list[str]] = field(default_factory=dict)
    refuse: dict[str, tuple[int, ProblemReport]] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    controls: list[Control] = field(default_factory=controls)
    measured: MeasuredLatency | None = None
    limits: AppLimits = field(default_factory=AppLimits)
    lost_sounds: bool = False
    values: dict[str, Any] = field(
        default_factory=lambda: {"pitch.transpose": 0.0, "retrieval.rate": 0.5, "voice.mode": "a"}
    )
    off: set[str] = field(default_factory=set)
    muted: bool = False
    monitor: bool = False
    talking: bool = False
    voice: str | None = None
    messages: list[str] = field(default_factory=lambda: ["the session has started"])
    health: LiveHealth = field(default_factory=LiveHealth)
    advice: list[str] = field(default_factory=list)
    silent: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    ticks: int = 0

    def begin(self, request: StartSession) -> None:
        """Starts the session at once."""
        self.started.append(request)
        self.voice = request.voice
        self.session = SessionState(
            state="running",
            voice=request.voice,
            pipeline="default-live",
            quality=request.quality,
            preset=request.preset,
            input=request.input,
            output=request.output,
            delay_ms=request.delay_ms,
            virtual_microphone=request.virtual_microphone,
            since=datetime.now(UTC),
        )

    def end(self, *problems: ProblemReport) -> None:
        """Ends it: by a fault if there are problems."""
        state = "ended" if problems else "none"
        self.session = SessionState(
            state=state,
            problems=list(problems),
            ended=datetime.now(UTC),
            can_restart=bool(problems),
        )

    def run(self, command: dict[str, Any]) -> None:
        """Carries a command out."""
        self.commands.append(command)
        match command:
            case {"do": "set", "param": param, "value": value}:
                self.values[param] = value
            case {"do": "bypass", "node": node, "on": on}:
                (self.off.add if on else self.off.discard)(node)
            case {"do": "mute", "on": on}:
                self.muted = on
            case {"do": "monitor", "on": on}:
                self.monitor = on
            case {"do": "talk", "on": on}:
                self.talking = on
            case {"do": "voice", "name": name}:
                self.voice = name

    def status(self) -> LiveStatus:
        """The status of the running session; levels move, and loads with them."""
        self.ticks += 1
        move = self.ticks % 20
        started = self.session.since or BEGUN
        mic = self._end("Built-in microphone", -14 - move / 2)
        out = self._end("Loudspeaker", -16 - move / 3)
        last = self.started[-1] if self.started else StartSession()
        return LiveStatus(
            state="running",
            pipeline="default-live",
            seconds=(datetime.now(UTC) - started).total_seconds(),
            tick=self.ticks,
            block_ms=40,
            input=mic,
            output=out,
            compute_median_ms=11,
            compute_p99_ms=14,
            compute_max_ms=19,
            headroom=0.65 - move / 100,
            nodes=self._nodes(),
            health=self.health,
            late=self.health.late,
            latency=LiveLatency(
                algorithmic_ms=115, buffering_ms=80, device_ms=22, held_ms=last.delay_ms
            ),
            drift=DriftReport(
                one_clock=True, drift_ppm=None, correction_ppm=0, offset_ms=0, realigned=0
            ),
            muted=self.muted,
            monitor=self.monitor,
            push_to_talk=last.push_to_talk,
            microphone="voicegraph" if last.virtual_microphone else None,
            talking=self.talking or not last.push_to_talk,
            params=self._params(),
            messages=self.messages,
            log=self._log(),
            advice=self.advice,
            **self._optional(),
        )

    def _log(self) -> list[LoggedMessage]:
        begun = (self.session.since or BEGUN).timestamp()
        return [
            LoggedMessage(
                number=i + 1,
                seconds=float(i),
                unix_s=begun + i,
                kind="fault" if "late" in text else "note",
                text=text,
            )
            for i, text in enumerate(self.messages)
        ]

    def _optional(self) -> dict[str, Any]:
        """Fields that a session without a library has not set."""
        fields = LiveStatus.model_fields
        return {"voice": self.voice} if "voice" in fields else {}

    def _end(self, device: str, level: float) -> EndReport:
        peaks = {"peak_db": level + 8, "rms_db": level, "clipped": 0, "lost": 0}
        return EndReport(device=device, rate_hz=48000, channels=1, **peaks)

    def _nodes(self) -> list[NodeLoad]:
        loads = {"f0": 1.2, "content": 4.1, "retrieval": 0.4, "pitch": 0.1, "voice": 5.3}
        uses = {"f0": "f0.swift", "content": "content.streaming", "retrieval": "retrieval.faiss"}
        return [
            NodeLoad(
                name=name,
                use=uses.get(name, "dsp.gain"),
                median_ms=0 if name in self.off else cost,
                p99_ms=cost * 1.4,
                bypassed=name in self.off,
            )
            for name, cost in {**loads, "denoise": 0.8, "limiter": 0.1}.items()
        ]

    def _params(self) -> list[LiveParam]:
        mode = LiveParam(name="voice.mode", value=self.values["voice.mode"], choices=["a", "b"])
        pitch = LiveParam(
            name="pitch.transpose",
            value=self.values["pitch.transpose"],
            minimum=-48,
            maximum=48,
            unit="semitones",
            description="Shift of the pitch.",
        )
        rate = LiveParam(
            name="retrieval.rate", value=self.values["retrieval.rate"], minimum=0, maximum=1
        )
        return [pitch, rate, mode]


def late(blocks: int) -> LiveHealth:
    """A session with late blocks."""
    overruns = LateReport(blocks=blocks, last_minute=blocks, worst_ms=12)
    return LiveHealth(late=overruns, events=[f"{blocks} late blocks in the last minute"])
