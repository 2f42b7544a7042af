"""Level of a sound."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import observers

RATE = 16000


def test_levels_are_relative_to_full_scale() -> None:
    sine = np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE).astype(np.float32)
    found = observers.hear("contour.level", sine, RATE).arrays
    assert len(found["level"]) == 101
    np.testing.assert_allclose(found["level"][5:-5], -3.01, atol=0.02)
    assert float(found["rms_db"]) == pytest.approx(-3.01, abs=0.01)
    assert float(found["peak_db"]) == pytest.approx(0, abs=0.01)


def test_silence_is_120_db_down() -> None:
    found = observers.hear("contour.level", np.zeros(1600, np.float32), RATE).arrays
    assert found["level"].tolist() == [-120.0] * 11
    assert float(found["rms_db"]) == -120.0


def test_other_rates_are_resampled() -> None:
    sine = 0.5 * np.sin(2 * np.pi * 400 * np.arange(48000) / 48000).astype(np.float32)
    found = observers.hear("contour.level", sine, 48000).arrays
    assert len(found["level"]) == 101
    assert float(found["rms_db"]) == pytest.approx(-9.03, abs=0.01)


def test_samples_at_full_scale_are_counted() -> None:
    sound = np.where(np.arange(RATE) % 4, 0.5, -1.0).astype(np.float32)
    assert float(observers.hear("contour.level", sound, RATE).arrays["clipped"]) == 0.25
