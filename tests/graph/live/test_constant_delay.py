"""A constant delay: what is measured is what was asked for, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import StateError
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.live_command import Swap

from .conftest import RATE, StillCard

Make = Callable[..., LiveSession]
DEVICES_S = 0.012
"""The latency that the card states; the simulated one has none."""
CALLBACK_S = 0.01
CLOSE_S = 0.0015
"""Half a millisecond may pass before drift is corrected; and input and output call back apart."""


def _clicks(start: int, count: int) -> np.ndarray:
    """A click at the beginning of each second."""
    found = np.zeros((count, 1), np.float32)
    found[(-start) % RATE :: RATE] = 0.5
    return found


class _Measured:
    """A session in simulated time, and the delay of each click."""

    def __init__(self, live: LiveSession, **devices: Any) -> None:
        self.live = live
        self._heard: list[np.ndarray] = []
        self._at: list[int] = []
        capture = SimulatedDevice(RATE, 480, **devices)
        self.simulation = Simulation(
            live.loop, capture, SimulatedDevice(RATE, 480), _clicks, cost=lambda _: 0.001,
            played=self._play,
        )  # fmt: skip

    def _play(self, position: int, frames: np.ndarray) -> None:
        self._at += [position + int(k) for k in np.flatnonzero(np.abs(frames[:, 0]) > 0.2)]

    def delays(self, seconds: float) -> list[float]:
        """Runs on; the delays of the clicks that are heard, in seconds."""
        self._at.clear()
        self.simulation.run(seconds)
        return [at % RATE / RATE for at in self._at]


@pytest.mark.parametrize("delay_ms", [120, 300, 850])
def test_delay_is_what_was_asked_for(make_live: Make, delay_ms: int) -> None:
    measured = _Measured(make_live(delay_s=delay_ms / 1e3))
    measured.simulation.run(3)
    found = measured.delays(4)
    assert len(found) >= 3
    assert found == pytest.approx([delay_ms / 1e3 - DEVICES_S] * len(found), abs=CLOSE_S)
    latency = measured.live.status().latency
    assert latency.held_ms == delay_ms
    assert latency.expected_ms == pytest.approx(delay_ms, abs=1)
    assert any(
        f"delay the camera by {delay_ms} ms" in text for text in measured.live.messages.texts
    )


def test_delay_stays_over_lost_audio(make_live: Make) -> None:
    card = StillCard(one_clock=False)
    away = ((6.0, 6.35),)
    measured = _Measured(make_live(card=card, delay_s=0.4), away=away)
    measured.simulation.run(5)
    before = np.median(measured.delays(1))
    measured.simulation.run(6)
    after = np.median(measured.delays(20))
    assert measured.live.status().drift.realigned > 0
    assert after == pytest.approx(before, abs=CLOSE_S)


def test_delay_stays_over_a_swap_with_less_latency(make_live: Make) -> None:
    nodes = {"late": node("dsp.limiter", "input"), "end": node("dsp.gain", "late")}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="end")
    measured = _Measured(make_live(pipeline, delay_s=0.25))
    measured.simulation.run(3)
    before = measured.delays(3)
    live = measured.live
    done = live.command(Swap(overrides={"nodes.late.use": "dsp.gain"}))
    assert done is not None
    while not done.done():
        measured.simulation.run(0.02)
        live.swap_worker.wait(0.002)
    done.result()
    assert measured.delays(3) == pytest.approx([float(np.median(before))] * 3, abs=CLOSE_S)


def test_too_short_a_delay_names_the_least(make_live: Make) -> None:
    with pytest.raises(StateError) as caught:
        make_live(delay_s=0.03)
    [problem] = caught.value.problems
    assert problem.message == (
        "a delay of 30 ms is too short: pipeline, buffers and devices take 56 ms"
    )
    assert problem.fix == "--delay 65ms"
    make_live(delay_s=0.065)


def test_jitter_that_makes_a_delay_too_short_ends_the_session(make_live: Make) -> None:
    measured = _Measured(make_live(delay_s=0.0565), jitter_s=0.02)
    with pytest.raises(StateError, match="is too short"):
        measured.simulation.run(4)
