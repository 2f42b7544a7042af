"""Signals are found in recordings, and the offset of two signals is found to the sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.diagnostics._probe_signal import probe_signal
from voicegraph.graph.metrics.cross_correlation import (
    FOUND,
    Offset,
    correlate_at,
    find_offset,
    find_signal,
)

RATE = 16000
SIGNAL = probe_signal(RATE)


def _recording(delay: int, gain: float = 1.0, noise: float = 0.0) -> np.ndarray:
    made = np.random.default_rng(3).normal(0, noise, 3 * RATE) if noise else np.zeros(3 * RATE)
    made[delay : delay + len(SIGNAL)] += gain * SIGNAL
    return made.astype(np.float32)


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


@given(st.integers(-40, 40), st.floats(-40, 20), st.booleans(), st.integers(0, 9))
def test_delay_is_found_to_the_sample(delay: int, gain: float, inverted: bool, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 1, (2000, 2))
    scale = (-1 if inverted else 1) * 10 ** (gain / 20)
    found = find_offset(noise[100:1100], scale * noise[100 - delay : 1100 - delay] + 3, 50)
    assert found.values == delay
    # Both means are over all values, of which the offset moves some out of sight.
    assert found.correlation == pytest.approx(-1 if inverted else 1, abs=1e-3)


def test_offset_is_found_from_either_side() -> None:
    noise = np.random.default_rng(1).normal(0, 1, (500, 3))
    assert find_offset(noise[:-7], noise[7:], 20).values == -7
    assert find_offset(noise[7:], noise[:-7], 20).values == 7


def test_equal_signals_have_no_offset() -> None:
    period = np.tile(np.random.default_rng(1).normal(0, 1, 20), 50)[:, None]  # equal at 0, 20, 40
    assert find_offset(period, period, 50).values == 0


def test_constant_signals_do_not_correlate() -> None:
    assert find_offset(np.ones((100, 2)), np.ones((100, 2)), 10) == Offset(0, 0.0, 0.0)
    noise = np.random.default_rng(1).normal(0, 1, (4000, 1))
    assert abs(find_offset(noise[:2000], noise[2000:], 50).correlation) < FOUND
