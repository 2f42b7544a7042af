"""Loudness against the values that ITU-R BS.1770 and EBU Tech 3341 state."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments.listening._loudness import RATE, loudness


def _sine(level_db: float, seconds: float, hz: float = 997.0) -> np.ndarray:
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def test_full_scale_sine_in_one_channel() -> None:
    """BS.1770: a 0 dB FS sine of 997 Hz in one channel is -3.01 LUFS."""
    assert loudness(_sine(0, 5)) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("level", [-3.0, -23.0, -60.0])
def test_gain_moves_loudness_alike(level: float) -> None:
    assert loudness(_sine(level, 3)) == pytest.approx(level - 3.01, abs=0.01)


def test_pauses_are_gated_out() -> None:
    """EBU Tech 3341, case 3, by one channel: parts 13 dB below do not count."""
    parts = [_sine(-36, 10), _sine(-23, 60), _sine(-36, 10)]
    assert loudness(np.concatenate(parts)) == pytest.approx(-26.01, abs=0.1)


def test_low_frequencies_count_less() -> None:
    low, middle = loudness(_sine(-20, 3, 30)), loudness(_sine(-20, 3, 1000))
    assert low is not None
    assert middle is not None
    assert low < middle - 8


def test_silence_has_no_loudness() -> None:
    assert loudness(np.zeros(RATE)) is None
    assert loudness(np.zeros(0)) is None


def test_short_sound_counts_as_one_block() -> None:
    half = loudness(_sine(-20, 0.2))
    whole = loudness(_sine(-20, 0.4))
    assert half is not None
    assert whole is not None
    assert whole - half == pytest.approx(3.01, abs=0.2)
