"""Music behind the voice."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import conditions
from voicegraph.experiments.conditions.music import band

RATE = 16000


@pytest.mark.parametrize("snr", [-5.0, 10.0])
def test_ratio_is_exact(snr: float) -> None:
    clip = np.random.default_rng(1).standard_normal(2 * RATE).astype(np.float32) / 10
    name, params = conditions.ask({"music": "band", "snr": snr})
    made, _ = conditions.apply(name, params, clip, RATE, 1, "c")
    found = 10 * np.log10(np.mean(clip**2) / np.mean((made - clip).astype(np.float64) ** 2))
    assert found == pytest.approx(snr, abs=1e-3)  # float32 samples


def test_every_clip_has_another_piece() -> None:
    clip = np.zeros(RATE, np.float32)
    clip[0] = 1.0
    name, params = conditions.ask({"music": "band", "snr": 0})
    one, two = (conditions.apply(name, params, clip, RATE, 1, key)[0] for key in "ab")
    assert np.abs(np.corrcoef(one[1:], two[1:])[0, 1]) < 0.5


def test_it_is_tonal_and_never_ends() -> None:
    """Most of the power lies in few bins; noise spreads it evenly."""
    played = band(8 * RATE, RATE, np.random.Generator(np.random.Philox(key=3)))
    power = np.sort(np.abs(np.fft.rfft(played)) ** 2)[::-1]
    assert power[: len(power) // 50].sum() > 0.5 * power.sum()
    seconds = np.mean(played.reshape(8, RATE) ** 2, axis=1)
    assert seconds.min() > 0.1 * seconds.mean()
