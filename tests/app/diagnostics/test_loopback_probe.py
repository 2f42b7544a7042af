"""The test signal is found, and a probe measures over a simulated cable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from voicegraph.app.diagnostics import _loopback_probe as loopback_probe
from voicegraph.app.diagnostics._loopback_probe import (
    LoopbackProbe,
    LoopbackRecording,
    correlate_at,
    find_signal,
)
from voicegraph.graph.live.devices.audio_backend import OpenDevice

RATE = 16000
PERIOD = 160
SIGNAL = loopback_probe.test_signal(RATE)


def _recording(delay: int, gain: float = 1.0, noise: float = 0.0) -> np.ndarray:
    made = np.random.default_rng(3).normal(0, noise, 3 * RATE) if noise else np.zeros(3 * RATE)
    made[delay : delay + len(SIGNAL)] += gain * SIGNAL
    return made.astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_signal_is_finite_quiet_and_long_enough(rate: int) -> None:
    signal = loopback_probe.test_signal(rate)
    assert len(signal) == round(0.6 * rate)
    assert signal.dtype == np.float32
    assert np.abs(signal).max() == pytest.approx(0.4)


@pytest.mark.parametrize("delay", [0, 1, 777, 20000])
@pytest.mark.parametrize(("gain", "noise"), [(1.0, 0.0), (-0.01, 0.0), (0.5, 0.03)])
def test_signal_is_found_to_the_sample(delay: int, gain: float, noise: float) -> None:
    lag, sure = find_signal(SIGNAL, _recording(delay, gain, noise), RATE)
    assert lag == delay
    assert sure > 0.9


def test_synthesised_voice_is_found_by_its_envelope() -> None:
    at = np.arange(len(SIGNAL)) / RATE
    envelope = np.abs(np.convolve(np.abs(SIGNAL), np.ones(80) / 80, "same"))
    other = np.zeros(3 * RATE, np.float32)
    other[5000 : 5000 + len(SIGNAL)] = envelope * np.sin(2 * np.pi * 333 * at)
    lag, sure = find_signal(SIGNAL, other, RATE)
    assert lag == pytest.approx(5000, abs=RATE * 0.006)
    assert sure > 0.2


def test_missing_signal_has_low_confidence() -> None:
    assert find_signal(SIGNAL, np.zeros(3 * RATE, np.float32), RATE)[1] < 0.05
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(0, 0.1, 3 * RATE).astype(np.float32)
        assert find_signal(SIGNAL, noise, RATE)[1] < 0.1
    assert correlate_at(SIGNAL, SIGNAL[:100]) == (0, 0.0)


def test_silence_beside_the_signal_is_no_match() -> None:
    loud = np.concatenate((100 * SIGNAL, np.zeros(3 * RATE, np.float32), 100 * SIGNAL[::-1]))
    recording = np.concatenate((np.zeros(7000, np.float32), loud, np.zeros(RATE, np.float32)))
    for part in (recording, recording[:-RATE]):
        lag, sure = correlate_at(SIGNAL, part.astype(np.float32))
        assert lag == 7000
        assert sure == pytest.approx(1)


def test_latency_counts_from_the_inserted_signal() -> None:
    arrival = LoopbackRecording(_recording(8000), after=3000)
    assert arrival.latency(SIGNAL, RATE)[0] == 5000 / RATE
    assert arrival.response_latency(SIGNAL, RATE)[0] == 5000 / RATE


class _Cable:
    """A card whose output returns after ``delay`` frames, faster than real time."""

    one_clock = True

    def __init__(self, delay: int) -> None:
        self.input = self.output = OpenDevice("cable", RATE, 2, 0.0)
        self.lost: str | None = None
        self._delay = delay
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, capture: Any, play: Any) -> None:
        def run() -> None:
            line = [np.zeros((PERIOD, 2), np.float32) for _ in range(self._delay // PERIOD)]
            played = np.zeros((PERIOD, 2), np.float32)
            while not self._end.is_set():
                capture(line.pop(0), 0.0, False)
                play(played, 0.0, False)
                line.append(played.copy())
                self._end.wait(0.0005)  # lets the other thread run

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def reopen(self) -> bool:
        return True


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProbe]:
    """A cable of 50 ms, and an engine that responds after 100 ms."""
    monkeypatch.setattr(loopback_probe.time, "sleep", lambda _: threading.Event().wait(0.001))
    monkeypatch.setattr(loopback_probe, "_LEAD_S", 1.0)
    card = LoopbackProbe(_Cable(800))
    line = [np.zeros((PERIOD, 2), np.float32) for _ in range(10)]

    def capture(frames: np.ndarray, when: float, lost: bool) -> None:
        line.append(frames.copy())

    def play(into: np.ndarray, when: float, starved: bool) -> None:
        into[:] = line.pop(0)

    card.start(capture, play)
    yield card
    card.stop()


def test_devices_are_measured_past_the_engine(probed: LoopbackProbe) -> None:
    delay, sure = probed.through_devices(SIGNAL, 3.0).latency(SIGNAL, RATE)
    assert delay == pytest.approx(0.05, abs=PERIOD / RATE)
    assert sure > 0.99


def test_engine_is_measured_with_the_devices(probed: LoopbackProbe) -> None:
    arrival = probed.through_engine(SIGNAL, 3.0, block=320)
    delay, sure = arrival.latency(SIGNAL, RATE)
    # The engine's line holds ten callbacks behind the one it has just taken.
    assert delay == pytest.approx(0.05 + 0.1, abs=1e-9)
    assert sure > 0.99


def test_lost_device_ends_the_recording(probed: LoopbackProbe) -> None:
    probed._card.lost = "gone"  # pyright: ignore[reportAttributeAccessIssue]
    arrival = probed.through_devices(SIGNAL, 600.0)
    assert len(arrival.frames) < 600 * RATE
    assert probed.lost == "gone"
    assert not probed.reopen()
