"""Log-spectral distance: gains, delays, noise and silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.metrics.spectral_distance import (
    RANGE_DB,
    log_spectral_distance,
    power_spectrogram,
)

RATE = 16000
NOISE = np.random.default_rng(3).normal(0, 0.1, RATE // 2)


@settings(max_examples=20)
@given(st.floats(-20, 20))
def test_gain_is_its_size_in_decibels(gain: float) -> None:
    found = log_spectral_distance(NOISE, NOISE * 10 ** (gain / 20), RATE)
    # The first and last frames are half silence, and have nulls below the floor. Noise may have
    # one elsewhere: a bin of 257 that does not count lowers the root of the mean square by .2 %.
    np.testing.assert_allclose(found[2:-2], abs(gain), rtol=0.005, atol=1e-9)


def test_distance_is_symmetric_and_zero_of_itself() -> None:
    other = np.roll(NOISE, 7) + 0.01 * NOISE[::-1]
    one, two = (log_spectral_distance(*pair, RATE) for pair in ((NOISE, other), (other, NOISE)))
    np.testing.assert_allclose(one, two, atol=1e-12)
    assert not log_spectral_distance(NOISE, NOISE, RATE).any()
    assert not log_spectral_distance(NOISE, -NOISE, RATE).any()


def test_silence_counts_at_most_the_range() -> None:
    silent = np.zeros_like(NOISE)
    assert log_spectral_distance(NOISE, silent, RATE).max() < RANGE_DB
    assert not log_spectral_distance(silent, silent, RATE).any()


def test_what_nobody_hears_does_not_count() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    hiss = 1e-6 * np.random.default_rng(1).normal(0, 1, RATE)
    inside = slice(3, -3)  # at either end the tone begins suddenly, and is broad
    assert log_spectral_distance(tone, tone + hiss, RATE)[inside].max() < 0.01


@pytest.mark.parametrize("count", [1, 3, 4097, 100_000])
def test_long_sounds_are_measured_in_chunks(count: int) -> None:
    sound = np.random.default_rng(1).normal(0, 1, count)
    found = power_spectrogram(sound, 512, 64)
    assert found.shape == (257, 1 + count // 64)
    middle = found.shape[1] // 2
    piece = np.pad(sound, 256)[middle * 64 : middle * 64 + 512]
    expected = np.abs(np.fft.rfft(np.pad(piece, (0, 512 - len(piece))) * np.hanning(512))) ** 2
    np.testing.assert_allclose(found[:, middle], expected)


def test_sine_has_the_documented_power() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    found = power_spectrogram(tone, 512, 64)[:, 100].max()
    assert found == pytest.approx((0.5 * 512 / 4) ** 2, rel=0.01)
