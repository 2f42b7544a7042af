"""Level meters, and the gain that matches the loudness of two variants."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._level_meters import FLOOR_DB, GainMeter, LevelMeter, decibels, trim_db


@pytest.mark.parametrize(
    ("value", "db"), [(1.0, 0.0), (0.5, -6.0206), (2.0, 6.0206), (1e-9, -120), (0.0, -120)]
)
def test_decibels(value: float, db: float) -> None:
    assert decibels(value) == pytest.approx(db, abs=1e-3)


def test_what_is_no_level_is_the_floor() -> None:
    assert decibels(float("nan")) == decibels(-1.0) == FLOOR_DB


def test_peak_and_root_mean_square() -> None:
    level = LevelMeter()
    level.take(np.array([[0.6, -0.8, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], np.float32))
    assert level.peak == pytest.approx(0.8)
    assert level.rms == pytest.approx(np.sqrt((0.36 + 0.64) / 8))
    level.take(np.zeros((2, 4), np.float32))
    assert (level.peak, level.rms, level.clipped) == (0.0, 0.0, 0)


def test_samples_at_full_scale_are_counted_over_all_blocks() -> None:
    level = LevelMeter()
    for _ in range(2):
        level.take(np.array([[1.0, -1.5, 0.99]], np.float32))
    assert level.clipped == 4


def _meter(gain: float, seconds: float = 3.0, rms: float = 0.1) -> GainMeter:
    meter = GainMeter()
    for _ in range(round(seconds / 0.1)):
        meter.take(rms, gain * rms, 0.1)
    return meter


def test_the_gain_from_input_to_output() -> None:
    assert _meter(2.0).gain_db == pytest.approx(6.02, abs=0.01)
    assert _meter(0.5, rms=0.3).gain_db == pytest.approx(-6.02, abs=0.01)


def test_it_is_not_trusted_before_two_seconds_of_sound() -> None:
    assert _meter(2.0, 1.9).gain_db is None
    quiet = _meter(2.0, 10, rms=0.001)
    assert (quiet.gain_db, quiet.measured_s) == (None, 0.0)


def test_who_gives_nothing_has_no_gain() -> None:
    assert _meter(0.0).gain_db is None


def test_what_is_no_number_is_not_taken() -> None:
    meter = _meter(2.0)
    meter.take(0.1, float("nan"), 0.1)
    meter.take(float("inf"), 0.1, 0.1)
    assert meter.gain_db == pytest.approx(6.02, abs=0.01)


def test_the_past_is_forgotten() -> None:
    meter = _meter(1.0)
    for _ in range(1000):
        meter.take(0.1, 0.2, 0.1)
    assert meter.gain_db == pytest.approx(6.02, abs=0.1)


@pytest.mark.parametrize(("one", "other", "trim"), [(1, 2, -6.02), (2, 1, 6.02), (100, 1, 18.0)])
def test_the_other_is_brought_to_the_reference(one: float, other: float, trim: float) -> None:
    assert trim_db(_meter(one), _meter(other)) == pytest.approx(trim, abs=0.01)


def test_nothing_is_trimmed_until_both_are_known() -> None:
    assert trim_db(_meter(1.0), _meter(4.0, 1.0)) == 0.0
