"""Overruns (late blocks) on devices: the gap, and the delay afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

RATE = 48000
BLOCK = 960
NAP_S = 0.15


def _first_right(heard: np.ndarray, noise: Any, lag: int, start: int) -> int:
    """Samples after ``start`` from which on the output has its delay again."""
    said = noise(start - lag, len(heard) - start)
    wrong = np.flatnonzero(said.astype(np.float32) != heard[start:])
    return int(wrong[-1]) + 1 if len(wrong) else 0


@pytest.mark.parametrize(
    "policy", ["fade", *(pytest.param(p, marks=pytest.mark.slow) for p in ("silence", "dry"))]
)
def test_delay_recovers_within_two_blocks(
    listening: Any, passing: Any, noise: Any, lag_at: Any, slow_node: list[float], policy: str
) -> None:
    pipeline = passing(use="test.slow", on_late=policy)
    live, ear = listening(pipeline, "duplex_a", "duplex_a", noise, margin_s=0.02)
    ear.wait(live.stopped, 1)
    before = lag_at(ear.heard, ear.count - RATE // 2)
    assert before != -1
    begun = ear.count
    slow_node.append(NAP_S)
    ear.wait(live.stopped, 1.5)
    heard = ear.heard
    assert lag_at(heard, len(heard) - RATE // 2) == before

    status = live.status()
    assert status.late.blocks >= 1
    assert status.late.blamed.get("pass", 0) >= 1
    assert 1e3 * NAP_S / 2 < status.late.worst_ms < 1e3 * NAP_S
    assert live.loop.capture.waiting <= 1  # nothing is left in a queue

    wrong = np.flatnonzero(noise(begun - before, len(heard) - begun).astype("f4") != heard[begun:])
    whole = _first_right(heard, noise, before, begun) - int(wrong[0])
    # What the block took beyond its time, and two blocks: after that it is as it was.
    assert whole <= round(NAP_S * RATE) + 2 * BLOCK
    hole = heard[begun + wrong[0] : begun + wrong[0] + whole]
    step = float(np.abs(np.diff(hole)).max())
    if policy == "silence":
        assert np.abs(hole[BLOCK:-BLOCK]).max() == 0
    else:
        assert step < 0.8  # noise steps as much by itself


def test_overrun_does_not_click(
    listening: Any, passing: Any, sine: Any, slow_node: list[float]
) -> None:
    live, ear = listening(passing(use="test.slow"), "duplex_a", "duplex_a", sine, margin_s=0.02)
    ear.wait(live.stopped, 1)
    begun = ear.count
    for _ in range(3):
        slow_node.append(NAP_S)
        ear.wait(live.stopped, 0.6)
    assert live.status().late.blocks >= 3
    # The signal's own slope, and that of a fade over 5 ms.
    own = 0.25 * 2 * np.pi * 440 / RATE
    assert np.abs(np.diff(ear.heard[begun - RATE // 2 :])).max() < own + 0.25 * np.pi / 2 / 240


def test_constant_overruns_give_advice(
    listening: Any, passing: Any, sine: Any, slow_node: list[float]
) -> None:
    live, ear = listening(passing(use="test.slow"), "duplex_a", "duplex_a", sine)
    slow_node.extend([0.03] * 200)
    ear.wait(live.stopped, 3)
    status = live.status()
    assert status.late.dropped > 10
    assert status.state == "running"
    assert any("block" in text for text in status.advice)
    slow_node.clear()
    ear.wait(live.stopped, 0.5)
    assert live.loop.capture.waiting <= 1
