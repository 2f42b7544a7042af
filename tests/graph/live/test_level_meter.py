"""Levels for meters."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._level_meter import FLOOR_DB, Level, decibels


@pytest.mark.parametrize(
    ("value", "db"), [(1.0, 0.0), (0.5, -6.0206), (2.0, 6.0206), (1e-9, -120), (0.0, -120)]
)
def test_decibels(value: float, db: float) -> None:
    assert decibels(value) == pytest.approx(db, abs=1e-3)


def test_what_is_no_level_is_the_floor() -> None:
    assert decibels(float("nan")) == decibels(-1.0) == FLOOR_DB


def test_peak_and_root_mean_square() -> None:
    level = Level()
    level.take(np.array([[0.6, -0.8, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], np.float32))
    assert level.peak == pytest.approx(0.8)
    assert level.rms == pytest.approx(np.sqrt((0.36 + 0.64) / 8))
    level.take(np.zeros((2, 4), np.float32))
    assert (level.peak, level.rms, level.clipped) == (0.0, 0.0, 0)


def test_samples_at_full_scale_are_counted_over_all_blocks() -> None:
    level = Level()
    for _ in range(2):
        level.take(np.array([[1.0, -1.5, 0.99]], np.float32))
    assert level.clipped == 4
