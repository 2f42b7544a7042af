"""A fake live session with one status."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.schemas.live_command import LiveCommand, SetParam
from voicegraph.schemas.live_status import (
    DriftReport,
    EndReport,
    LateReport,
    LiveLatency,
    LiveParam,
    LiveStatus,
    NodeLoad,
)

STATUS = LiveStatus(
    state="running",
    pipeline="world",
    seconds=3723.5,
    tick=100,
    block_ms=100,
    input=EndReport(
        device="Mic", rate_hz=48000, channels=1, peak_db=-9.0, rms_db=-21.5, clipped=0, lost=0
    ),
    output=EndReport(
        device="Speaker", rate_hz=44100, channels=2, peak_db=-8.0, rms_db=-20.5, clipped=0, lost=0
    ),
    compute_median_ms=40.0,
    compute_p99_ms=62.0,
    compute_max_ms=88.0,
    headroom=0.38,
    nodes=[
        NodeLoad(name="f0", use="f0.dio", median_ms=12.0, p99_ms=20.0),
        NodeLoad(name="pitch", use="pitch.cache", median_ms=0.25, p99_ms=0.5),
        NodeLoad(name="synth", use="world.synthesize", median_ms=27.0, p99_ms=42.0),
        NodeLoad(name="limiter", use="", median_ms=0, p99_ms=0, bypassed=True),
    ],
    late=LateReport(
        blocks=3, last_minute=1, dropped=2, worst_ms=7.3, blamed={"f0": 2, "(system)": 1}
    ),
    latency=LiveLatency(algorithmic_ms=63, buffering_ms=204, device_ms=21, measured_ms=291),
    drift=DriftReport(
        one_clock=False, drift_ppm=12.3, correction_ppm=11.8, offset_ms=-0.02, realigned=0
    ),
    params=[
        LiveParam(name="pitch.transpose", value=4.0, minimum=-24, maximum=24, unit="semitones",
                  description="How far."),
        LiveParam(name="synth.speaker", value=0, minimum=0),
        LiveParam(name="synth.mode", value="soft", choices=["soft", "hard", "off"]),
    ],
    messages=["engine: usual priority"],
)  # fmt: skip


class FakeSession:
    """Returns a given status and stores commands.

    Attributes:
        now: the status.
        received: all commands; those that set a param change the status, as in a session.
        failure: the exception that commands raise, if any.
        stop_requests: how often it was asked to stop.
        stops: whether it stops when asked.
    """

    def __init__(self, status: LiveStatus) -> None:
        self.now = status
        self.received: list[LiveCommand] = []
        self.failure: Exception | None = None
        self.stop_requests = 0
        self.stops = True
        self.stopped = threading.Event()

    def status(self) -> LiveStatus:
        return self.now

    def change(self, **what: Any) -> None:
        self.now = self.now.model_copy(update=what)

    def command(self, command: LiveCommand) -> None:
        self.received.append(command)
        if self.failure is not None:
            raise self.failure
        if isinstance(command, SetParam):
            self.change(
                params=[
                    p.model_copy(update={"value": command.value}) if p.name == command.param else p
                    for p in self.now.params
                ]
            )

    def say(self, text: str) -> None:
        raise AssertionError

    def request_stop(self) -> None:
        self.stop_requests += 1
        if self.stops:
            self.change(state="stopped")
            self.stopped.set()


@pytest.fixture
def status() -> LiveStatus:
    """Status of a running session."""
    return STATUS


@pytest.fixture
def live(status: LiveStatus) -> FakeSession:
    """A fake session with that status."""
    return FakeSession(status)


Changed = Callable[..., LiveStatus]


@pytest.fixture
def changed(status: LiveStatus) -> Changed:
    """``changed(state="waiting", late__blocks=4)``: the status with other values."""

    def make(**what: Any) -> LiveStatus:
        update: dict[str, Any] = {}
        for key, value in what.items():
            outer, _, inner = key.partition("__")
            if inner:
                part = update.get(outer, getattr(status, outer))
                update[outer] = part.model_copy(update={inner: value})
            else:
                update[outer] = value
        return status.model_copy(update=update)

    return make
