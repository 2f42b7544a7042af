"""Pink noise at a given signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.training.evaluate.noise import noisy, pink


@pytest.mark.parametrize("db", [20.0, 10.0, -3.0])
def test_signal_to_noise_ratio_is_exact(db: float) -> None:
    clean = 0.1 * np.sin(np.arange(32000) / 20)
    added = noisy(clean, db, "1-2-3") - clean
    found = 10 * np.log10(np.mean(clean**2) / np.mean(added**2))
    assert found == pytest.approx(db, abs=1e-9)


def test_clip_name_is_the_seed() -> None:
    clean = 0.1 * np.sin(np.arange(8000) / 20)
    assert np.array_equal(noisy(clean, 20, "a"), noisy(clean, 20, "a"))
    assert not np.array_equal(noisy(clean, 20, "a"), noisy(clean, 20, "b"))
    louder = (noisy(clean, 10, "a") - clean) / (noisy(clean, 20, "a") - clean)
    np.testing.assert_allclose(louder, np.sqrt(10))  # the same noise


def test_pink_noise_falls_3_db_an_octave() -> None:
    power = np.abs(np.fft.rfft(pink(160000, 1))) ** 2
    frequency = np.fft.rfftfreq(160000, 1 / 16000)
    bands = [power[(frequency >= low) & (frequency < 2 * low)].mean() for low in (200, 800, 3200)]
    falls = -np.diff(10 * np.log10(bands))
    np.testing.assert_allclose(falls, 6.02, atol=0.5)
