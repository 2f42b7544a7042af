"""Level meters, and the gain that matches the loudness of two variants."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._level_meters import FLOOR_DB, GainMeter, LevelMeter, decibels, trim_db


@pytest.mark.parametrize(
    ("value", "db"), [(1.0, 0.0), (0.5, -6.0206), (2.0, 6.0206), (1e-9, -120), (0.0, -120)]
)
def test_decibels_are_relative_to_full_scale(value: float, db: float) -> None:
    assert decibels(value) == pytest.approx(db, abs=1e-3)


def test_decibels_have_a_floor() -> None:
    assert decibels(float("nan")) == decibels(-1.0) == FLOOR_DB


def test_peak_and_rms_of_a_block() -> None:
    level = LevelMeter()
    level.take(np.array([[0.6, -0.8, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], np.float32))
    assert level.peak == pytest.approx(0.8)
    assert level.rms == pytest.approx(np.sqrt((0.36 + 0.64) / 8))
    level.take(np.zeros((2, 4), np.float32))
    assert (level.peak, level.rms, level.clipped) == (0.0, 0.0, 0)


def test_clipped_samples_are_counted_over_all_blocks() -> None:
    level = LevelMeter()
    for _ in range(2):
        level.take(np.array([[1.0, -1.5, 0.99]], np.float32))
    assert level.clipped == 4


def _meter(gain: float, seconds: float = 3.0, rms: float = 0.1) -> GainMeter:
    meter = GainMeter()
    for _ in range(round(seconds / 0.1)):
        meter.take(rms, gain * rms, 0.1)
    return meter


def test_gain_is_output_over_input_power() -> None:
    assert _meter(2.0).gain_db == pytest.approx(6.02, abs=0.01)
    assert _meter(0.5, rms=0.3).gain_db == pytest.approx(-6.02, abs=0.01)


def test_gain_is_unknown_before_two_seconds() -> None:
    assert _meter(2.0, 1.9).gain_db is None
    quiet = _meter(2.0, 10, rms=0.001)
    assert (quiet.gain_db, quiet.measured_s) == (None, 0.0)


def test_silent_output_has_no_gain() -> None:
    assert _meter(0.0).gain_db is None


def test_non_finite_levels_are_ignored() -> None:
    meter = _meter(2.0)
    meter.take(0.1, float("nan"), 0.1)
    meter.take(float("inf"), 0.1, 0.1)
    assert meter.gain_db == pytest.approx(6.02, abs=0.01)


def test_old_levels_are_forgotten() -> None:
    meter = _meter(1.0)
    for _ in range(1000):
        meter.take(0.1, 0.2, 0.1)
    assert meter.gain_db == pytest.approx(6.02, abs=0.1)


@pytest.mark.parametrize(("one", "other", "trim"), [(1, 2, -6.02), (2, 1, 6.02), (100, 1, 18.0)])
def test_trim_matches_the_reference_loudness(one: float, other: float, trim: float) -> None:
    assert trim_db(_meter(one), _meter(other)) == pytest.approx(trim, abs=0.01)


def test_no_trim_until_both_gains_are_known() -> None:
    assert trim_db(_meter(1.0), _meter(4.0, 1.0)) == 0.0
