"""Latency measurement of a whole session, over a simulated cable."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voicegraph.app.diagnostics import _loopback_probe as loopback_probe
from voicegraph.app.diagnostics import latency as measuring
from voicegraph.app.diagnostics._probe_signal import probe_signal
from voicegraph.app.diagnostics._reference_response import reference_response
from voicegraph.app.diagnostics.latency import measure_latency
from voicegraph.graph.errors import DeviceError
from voicegraph.graph.live import _drift_compensation as drift_compensation
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio

RATE, PERIOD = 16000, 160


class Cable:
    """A loopback in real time: the output returns ``delay`` callbacks later."""

    one_clock = True

    def __init__(self, delay: int = 3, gain: float = 1.0) -> None:
        self.input = OpenDevice("in", RATE, 1, 0.01)
        self.output = OpenDevice("out", RATE, 1, 0.01)
        self.lost: str | None = None
        self.stopped = 0
        self._line = [np.zeros((PERIOD, 1), np.float32) for _ in range(delay)]
        self._gain = gain
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, capture: Any, play: Any) -> None:
        def run() -> None:
            begun, count = time.perf_counter(), 0
            played = np.zeros((PERIOD, 1), np.float32)
            while not self._end.is_set():
                count += 1
                self._end.wait(max(0.0, begun + count * PERIOD / RATE - time.perf_counter()))
                now = time.perf_counter()
                capture(self._line.pop(0), now, False)
                play(played, now, False)
                self._line.append(self._gain * played)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self) -> None:
        self.stopped += 1
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def reopen(self) -> bool:
        return False


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(drift_compensation, "_SETTLING", 0.2)
    monkeypatch.setattr(measuring, "_RUNS_S", 0.02)
    monkeypatch.setattr(measuring, "_RECORDS_S", 0.9)
    monkeypatch.setattr(loopback_probe, "_LEAD_S", 0.05)

    def measure(card: Cable, runs: int = 1, use: str = "dsp.gain", **keys: Any) -> Any:
        nodes = {"pass": node(use, "input")}
        pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="pass")
        kind = SimpleNamespace(format=Audio(Fraction(RATE), 1))
        setup = SimpleNamespace(plan=pipeline.compile(), input=kind, open_card=lambda: card)
        return measure_latency(setup, LiveOptions(margin_s=0.01), runs, **keys)  # pyright: ignore[reportArgumentType]

    return measure


def test_parts_add_up_to_the_measured_latency(measured: Callable[..., Any]) -> None:
    card, told = Cable(gain=-0.5), []  # many cables turn the sign over
    found = measured(card, use="dsp.limiter", tell=told.append)
    assert found.algorithmic_ms == pytest.approx(5, abs=0.1)
    assert found.buffering_ms >= 20 + 20 + 10
    assert found.device_ms == pytest.approx(30, abs=11)
    assert found.device_claimed_ms == pytest.approx(20)
    assert abs(found.difference_ms) < 11  # a callback: what the machine does to a thread's times
    assert told == ["1 of 1: through the devices", "1 of 1: through the pipeline"]
    assert card.stopped == 1


@pytest.mark.parametrize("use", ["dsp.gain", "dsp.limiter", "world"])
def test_whole_latency_holds_algorithmic_latency_once(use: str) -> None:
    """To the sample, because the recording is computed here."""
    if use == "world":
        plan = Pipeline.load("world", {"vars.rate": RATE}).compile()
    else:
        nodes = {"pass": node(use, "input")}
        plan = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="pass").compile()
    signal = probe_signal(RATE)
    recorded = np.concatenate((np.zeros(5 * RATE, np.float32), signal, np.zeros(RATE, np.float32)))
    with plan.session(warm_up=False, workers=False) as session:
        made = session.push(recorded)[4 * RATE :]
    late = np.concatenate((np.zeros(800, np.float32), made))
    card: Any = SimpleNamespace(
        input=OpenDevice("in", RATE, 1, 0.0),
        through_engine=lambda *_: loopback_probe.LoopbackRecording(late, RATE),
    )
    live: Any = SimpleNamespace(session=SimpleNamespace(plan=plan))
    delay, sure = measuring._whole(live, card, reference_response(plan, signal, RATE), 1.0)
    assert delay == pytest.approx(0.05 + float(plan.latency.algorithmic), abs=1.5 / RATE)
    assert sure > 0.9


def test_missing_loopback_is_reported(measured: Callable[..., Any]) -> None:
    card = Cable(gain=0.0)
    with pytest.raises(DeviceError) as raised:
        measured(card)
    problem = raised.value.problems[0]
    assert problem.code == "no-loopback"
    assert problem.message == "nothing came back from out to in"
    assert problem.fix is not None
    assert "cable" in problem.fix
    assert card.stopped == 1


def test_unrecognised_response_is_reported() -> None:
    """The signal returned, so the message does not mention the cable."""
    card: Any = SimpleNamespace(lost=None)
    live: Any = SimpleNamespace(
        error=None,
        session=SimpleNamespace(plan=SimpleNamespace(name="hiss")),
        loop=SimpleNamespace(counts=SimpleNamespace(late=3)),
    )
    with pytest.raises(DeviceError) as raised:
        measuring._check(live, card, 0.1, came_back=True)
    problem = raised.value.problems[0]
    assert problem.code == "no-answer"
    assert "the output of hiss was not recognised" in problem.message
    assert any("3 blocks were late" in text for text, _ in problem.notes)
    assert problem.fix is not None
    assert "--dry" in problem.fix
    assert "cable" not in str(raised.value)
    measuring._check(live, card, 0.5, came_back=True)


def test_device_lost_during_measurement_is_reported(measured: Callable[..., Any]) -> None:
    card = Cable()

    def tell(text: str) -> None:
        card.lost = "in has stopped"

    with pytest.raises(DeviceError) as raised:
        measured(card, tell=tell)
    assert raised.value.problems[0].code == "device-lost"
    assert card.stopped == 1


def test_silent_devices_are_reported(
    measured: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "_STARTS_S", 0.05)
    card = Cable()
    monkeypatch.setattr(card, "start", lambda *_: None)
    with pytest.raises(DeviceError) as raised:
        measured(card)
    assert raised.value.problems[0].code == "no-sound"


def test_failed_start_leaves_nothing_open(
    measured: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Cable()

    def fails(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(card, "start", fails)
    with pytest.raises(ZeroDivisionError):
        measured(card)
    assert card.stopped == 1
    assert gc.isenabled()


def test_synthesised_voice_is_located_by_its_response() -> None:
    """The measured latency includes the algorithmic latency, which is not added again."""
    signal = probe_signal(RATE)
    response = np.random.default_rng(3).normal(0, 0.1, len(signal)).astype(np.float32)
    recorded = np.zeros(3 * RATE, np.float32)
    recorded[5000 : 5000 + len(response)] = response
    latency = SimpleNamespace(algorithmic=Fraction(63, 1000))
    plan = SimpleNamespace(latency=latency, samples_in=PERIOD)
    live: Any = SimpleNamespace(session=SimpleNamespace(plan=plan))
    card: Any = SimpleNamespace(
        input=OpenDevice("in", RATE, 1, 0.0),
        through_engine=lambda *_: loopback_probe.LoopbackRecording(recorded, start=1000),
    )
    whole, sure = measuring._whole(live, card, response, 3.0)
    assert whole == pytest.approx(4000 / RATE)
    assert sure > 0.99
