"""The boundary metric separates clicks from the signal."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.metrics.boundary_metric import BoundaryMetric

BLOCK = 480


def _sine(count: int) -> np.ndarray:
    return np.sin(2 * np.pi * 213.7 / 48000 * np.arange(count))[None]


def _taken(signal: np.ndarray) -> BoundaryMetric:
    seams = BoundaryMetric()
    for start in range(0, signal.shape[1], BLOCK):
        seams.take(signal[:, start : start + BLOCK])
    return seams


def test_continuous_signal_has_no_boundary_energy() -> None:
    noise = np.random.default_rng(1).normal(size=(2, 200 * BLOCK))
    assert _taken(noise).decibels == pytest.approx(0, abs=0.5)
    assert _taken(_sine(1000 * BLOCK)).decibels == pytest.approx(0, abs=1)


@pytest.mark.parametrize("step", [0.01, 0.1])
def test_steps_at_borders_stand_out(step: float) -> None:
    signal = _sine(100 * BLOCK)
    signal += step * (np.arange(signal.shape[1]) // BLOCK % 2)
    assert _taken(signal).decibels > 15


def test_steps_elsewhere_do_not() -> None:
    signal = _sine(100 * BLOCK)
    signal += 0.1 * ((np.arange(signal.shape[1]) + BLOCK // 2) // BLOCK % 2)
    assert _taken(signal).decibels < -15


@pytest.mark.parametrize("count", [0, 1, 5])
def test_silence_has_no_boundary_energy(count: int) -> None:
    assert _taken(np.zeros((1, count * BLOCK))).decibels == 0.0
