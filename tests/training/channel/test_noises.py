"""Noises and distortions of the channel augmentation."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.training.channel import distortions, noises

RATE, COUNT = 16000, 16000


def _power(sound: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(spectrum[(frequency >= low) & (frequency < high)].sum())


@pytest.mark.parametrize("kind", [noises.wavering, noises.hum, noises.clicks, noises.music])
def test_noises_have_the_length_asked_for(kind: noises.Noise) -> None:
    for seed in range(8):
        made = kind(COUNT, np.random.default_rng(seed))
        assert made.shape == (COUNT,)
        assert np.isfinite(made).all()
        assert made.std() > 0


def test_babble_is_other_peoples_speech() -> None:
    def speech() -> np.ndarray:
        return np.sin(2 * np.pi * 300 * np.arange(COUNT) / RATE)

    made = noises.babble(np.random.default_rng(1), speech)
    assert _power(made, 280, 320) > 0.99 * _power(made, 0, 8000)


def test_clicks_are_short() -> None:
    made = noises.clicks(COUNT, np.random.default_rng(4))
    quiet = np.abs(made) < 0.1 * np.abs(made).max()
    assert quiet.mean() > 0.7


@pytest.fixture
def tone() -> np.ndarray:
    return 0.4 * np.sin(2 * np.pi * 500 * np.arange(COUNT) / RATE)


def test_clipped_peaks_make_overtones(tone: np.ndarray) -> None:
    for seed in range(6):
        made = distortions.clipped(tone, np.random.default_rng(seed))
        assert np.abs(made).max() < np.abs(tone).max()
        assert _power(made, 1400, 1600) > 1e-4 * _power(made, 400, 600)


def test_telephone_ends_at_4_khz(tone: np.ndarray) -> None:
    high = tone + 0.4 * np.sin(2 * np.pi * 6000 * np.arange(COUNT) / RATE)
    made = distortions.telephone(high, np.random.default_rng(1))
    assert _power(made, 5000, 8000) < 1e-3 * _power(made, 400, 600)
    assert _power(made, 400, 600) == pytest.approx(_power(tone, 400, 600), rel=0.1)


def test_coder_keeps_time_and_level(tone: np.ndarray) -> None:
    made = distortions.coded(tone, np.random.default_rng(1))
    middle = slice(2000, -2000)
    assert np.corrcoef(made[middle], tone[middle])[0, 1] > 0.98
    assert made.std() == pytest.approx(tone.std(), rel=0.1)


def test_gaps_are_silent_and_the_rest_is_kept(tone: np.ndarray) -> None:
    made = distortions.with_gaps(tone, np.random.default_rng(3))
    changed = made != tone
    assert 0 < changed.mean() < 0.5
    assert (made[changed] == 0).all()
