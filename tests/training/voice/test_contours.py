"""F0 and level contours."""

from __future__ import annotations

import numpy as np

from voicegraph.training.voice import contours


def test_levels_are_relative_to_full_scale() -> None:
    sine = np.sin(2 * np.pi * 400 * np.arange(16000) / 16000)
    found = contours.level_contour(sine)
    assert len(found) == 101
    np.testing.assert_allclose(found[5:-5], -3.01, atol=0.02)
    assert contours.level_contour(np.zeros(1600)).tolist() == [contours.FLOOR_DB] * 11
