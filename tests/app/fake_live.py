"""A fake live session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voicegraph.graph.errors import Problem, StateError
from voicegraph.graph.live.spectrum_feed import SpectrumFeed
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Stop,
    Swap,
    Talk,
)
from voicegraph.schemas.live_status import (
    DriftReport,
    EndReport,
    LateReport,
    LiveLatency,
    LiveParam,
    LiveStatus,
    LoggedMessage,
    NodeLoad,
    TakeStatus,
)

_END = EndReport(
    device="fake", rate_hz=48000, channels=1, peak_db=-6, rms_db=-20.4, clipped=0, lost=0
)


@dataclass
class FakeLive:
    """Runs commands as a live session does.

    ``done`` holds the commands that succeeded. A swap waits until ``gate`` is set.
    """

    stopped: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    done: list[LiveCommand] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    values: dict[str, Any] = field(default_factory=lambda: {"pitch.transpose": 0.0})
    off: set[str] = field(default_factory=set)
    on: dict[str, bool] = field(default_factory=lambda: {"mute": False, "monitor": False})
    talking: bool = False
    voice: str | None = None
    broken: bool = False
    headroom: float = 0.9
    dropped_packets: int = 0
    take: TakeStatus | None = None
    spectra: SpectrumFeed = field(default_factory=lambda: SpectrumFeed(16000, 48000))

    @property
    def plan(self) -> Plan:
        nodes = {"limiter": node("dsp.limiter", "input")}
        pipeline = Pipeline(name="fake", block="20ms", nodes=nodes, output="limiter")
        return pipeline.changed({"nodes.limiter.params.ceiling": -3}).compile()

    def status(self) -> LiveStatus:
        if self.broken:
            raise ZeroDivisionError("the fake is broken")
        param = LiveParam(
            name="pitch.transpose",
            value=self.values["pitch.transpose"],
            minimum=-24,
            maximum=24,
            unit="semitones",
        )
        nodes = [NodeLoad(name="limiter", use="dsp.limiter", median_ms=1, p99_ms=2)]
        nodes += [NodeLoad(name=n, use="", median_ms=0, p99_ms=0, bypassed=True) for n in self.off]
        return LiveStatus(
            state="stopped" if self.stopped.is_set() else "running",
            pipeline="fake",
            seconds=1,
            tick=len(self.done),
            block_ms=20,
            input=_END,
            output=_END,
            compute_median_ms=1,
            compute_p99_ms=2,
            compute_max_ms=3,
            headroom=self.headroom,
            nodes=nodes,
            late=LateReport(blocks=0, last_minute=0, dropped=0, worst_ms=0),
            latency=LiveLatency(algorithmic_ms=10, buffering_ms=44, device_ms=12),
            drift=DriftReport(
                one_clock=True, drift_ppm=None, correction_ppm=0, offset_ms=0, realigned=0
            ),
            muted=self.on["mute"],
            monitor=self.on["monitor"],
            talking=self.talking,
            params=[param],
            take=self.take,
            voice=self.voice,
            messages=self.said[-8:],
        )

    def command(self, command: LiveCommand) -> None:
        match command:
            case SetParam(param=param, value=value):
                self._set(param, value)
            case Mute(on=on):
                self.on["mute"] = on
            case Monitor(on=on):
                self.on["monitor"] = on
            case Talk(on=on):
                self.talking = on
            case Bypass(node=node, on=on):
                (self.off.add if on else self.off.discard)(node)
            case Swap():
                self.gate.wait(20)
            case Record(on=on):
                self.take = TakeStatus(name="take", seconds=0, bytes=0) if on else None
            case Mark():
                pass
            case ChooseVoice(name=name):
                self.voice = name
            case Stop():
                self.stopped.set()
            case _:
                text = "this session has one variant"
                raise StateError(Problem("no-variant", text, fix="start it with --b PATH=VALUE"))
        with self.changed:
            self.done.append(command)
            self.changed.notify_all()

    def _set(self, param: str, value: Any) -> None:
        if param == "broken.param":
            raise ZeroDivisionError("a bug of the node")
        if param not in self.values:
            raise StateError(Problem("no-such-param", f"there is no param {param}"))
        if not isinstance(value, (int, float)) or not -24 <= value <= 24:
            raise StateError(Problem("value", f"{param} cannot be {value!r}"))
        self.values[param] = value

    def say(self, text: str) -> None:
        with self.changed:
            self.said.append(text)
            self.changed.notify_all()

    def log(self) -> list[LoggedMessage]:
        return [
            LoggedMessage(number=number, seconds=0, unix_s=0, kind="note", text=text)
            for number, text in enumerate(self.said, 1)
        ]

    def count_dropped_packets(self, count: int) -> None:
        self.dropped_packets += count

    def request_stop(self) -> None:
        self.stopped.set()

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Waits until a command or a message makes a condition true."""
        with self.changed:
            assert self.changed.wait_for(what, 20), (self.done, self.said)
