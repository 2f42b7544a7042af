"""The loopback probe measures over a simulated cable."""

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
)
from voicegraph.app.diagnostics._probe_signal import probe_signal
from voicegraph.graph.live.devices.audio_backend import OpenDevice

RATE = 16000
PERIOD = 160
SIGNAL = probe_signal(RATE)


def _recording(delay: int, gain: float = 1.0, noise: float = 0.0) -> np.ndarray:
    made = np.random.default_rng(3).normal(0, noise, 3 * RATE) if noise else np.zeros(3 * RATE)
    made[delay : delay + len(SIGNAL)] += gain * SIGNAL
    return made.astype(np.float32)


def test_latency_counts_from_the_inserted_signal() -> None:
    recording = LoopbackRecording(_recording(8000), start=3000)
    assert recording.latency(SIGNAL, RATE)[0] == 5000 / RATE
    assert recording.response_latency(SIGNAL, RATE)[0] == 5000 / RATE


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
    recording = probed.through_engine(SIGNAL, 3.0, block=320)
    delay, sure = recording.latency(SIGNAL, RATE)
    # The engine's line holds ten callbacks behind the one it has just taken.
    assert delay == pytest.approx(0.05 + 0.1, abs=1e-9)
    assert sure > 0.99


def test_lost_device_ends_the_recording(probed: LoopbackProbe) -> None:
    probed._card.lost = "gone"  # pyright: ignore[reportAttributeAccessIssue]
    recording = probed.through_devices(SIGNAL, 600.0)
    assert len(recording.frames) < 600 * RATE
    assert probed.lost == "gone"
    assert not probed.reopen()


def test_device_lost_before_a_recording_is_opened_again(probed: LoopbackProbe) -> None:
    probed._card.lost = "gone"  # pyright: ignore[reportAttributeAccessIssue]
    assert probed.reopen()
    probed._card.lost = None  # pyright: ignore[reportAttributeAccessIssue]
    assert probed.through_devices(SIGNAL, 3.0).latency(SIGNAL, RATE)[0] == pytest.approx(0.05)
