"""The noise estimate of ``dsp.denoise``."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.nodes.dsp._noise_floor import NoiseFloor

BIAS_DB = 0.3
"""The minimum of smoothed noise lies 1.2 dB low on average: its spread over seeds."""
ONE_BIN_DB = 2
"""The spread of a single bin, which is averaged over time alone."""

HOP = 0.01
BINS = 400


def _track(powers: np.ndarray, settle: float = 1.0) -> np.ndarray:
    """The estimate after each frame of ``powers`` ``[frames, bins]``."""
    floor = NoiseFloor(HOP, settle)
    noise = np.full((1, BINS), floor.lowest, np.float32)
    presence = np.ones((1, BINS), np.float32)
    found = []
    for power in powers.astype(np.float32):
        floor.update(power[None], noise, presence)
        found.append(noise[0].copy())
    return np.stack(found)


def _exponential(frames: int, power: float, seed: int = 0) -> np.ndarray:
    """Periodogram bins of Gaussian noise."""
    return np.random.default_rng(seed).exponential(power, (frames, BINS))


@pytest.mark.parametrize("power", [1e-8, 1e-3, 10.0])
def test_estimate_is_the_power_of_the_noise(power: float) -> None:
    found = _track(_exponential(400, power))[200:].mean()
    assert 10 * np.log10(found / power) == pytest.approx(-1.2, abs=BIAS_DB)


def test_bursts_over_the_noise_are_no_noise() -> None:
    powers = _exponential(600, 1e-4)
    speech = (np.arange(600) // 30 % 2 == 0) & (np.arange(600) > 200)
    powers[speech] += _exponential(speech.sum(), 0.1, seed=1)
    found = _track(powers)[300:]
    assert np.median(10 * np.log10(found / 1e-4)) == pytest.approx(0, abs=ONE_BIN_DB)


def test_it_falls_at_once_and_rises_within_seconds() -> None:
    spans = ((300, 1.0), (100, 1e-3), (300, 1.0))
    powers = np.concatenate([_exponential(frames, power, frames) for frames, power in spans])
    level = np.median(10 * np.log10(_track(powers)), axis=1)
    assert level[300] > -3
    assert level[360] < -20
    assert level[405] < -15
    assert level[600:].min() > -3


@pytest.mark.parametrize("settle", [0.5, 2.0])
def test_settle_is_the_time_a_steady_tone_takes(settle: float) -> None:
    found = _track(np.ones((300, BINS)), settle)[:, 0]
    assert np.flatnonzero(found > 0.1)[0] * HOP == pytest.approx(settle, rel=0.1)


def test_silence_leaves_numbers_that_are_normal() -> None:
    found = _track(np.zeros((2000, BINS)))
    assert (found >= np.finfo(np.float32).tiny).all()
