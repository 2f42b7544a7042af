"""F0 error of contours with known faults."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.metrics.f0_error import (
    compare_f0,
    f0_cents,
    gross_share,
    median_hz,
    voicing_agreement,
)


def _source() -> np.ndarray:
    time = np.arange(600) / 100
    f0 = 120 * 2 ** (0.3 * np.sin(2 * np.pi * 0.8 * time))
    return np.where(time % 1 < 0.7, f0, 0.0)


def test_transposition_is_not_an_error() -> None:
    source = _source()
    found = compare_f0(source * 2 ** (7 / 12), source)
    assert found.cents == pytest.approx(0, abs=1e-9)
    assert (found.gross, found.voicing) == (0.0, 1.0)
    assert found.start == pytest.approx(0, abs=1e-9)


def test_gross_and_voicing_errors_are_counted() -> None:
    source = _source()
    made = source.copy()
    voiced = np.flatnonzero(source)
    made[voiced[::10]] *= 2  # octaves
    made[voiced[5::10]] = 0
    found = compare_f0(made, source)
    assert found.gross == pytest.approx(1 / 9, abs=1e-3)
    assert found.voicing == pytest.approx(1 - len(voiced) / 10 / len(source), abs=1e-3)
    assert found.cents == pytest.approx(0, abs=1e-9)


def test_shift_of_half_the_frames_is_halved() -> None:
    source = _source()
    made = source * 2 ** (np.where(np.arange(len(source)) % 2, 40, 0) / 1200)
    assert compare_f0(made, source).cents == pytest.approx(20, abs=1)


def test_start_shows_a_late_register() -> None:
    source = _source()
    voiced = np.cumsum(source > 0)
    made = source * 2 ** (np.where(voiced <= 100, -300, 500) / 1200)
    assert compare_f0(made, source).start == pytest.approx(-8, abs=1e-6)


def test_unvoiced_contours_give_nan() -> None:
    nothing = np.zeros(300)
    found = compare_f0(nothing, nothing)
    assert found.voicing == 1
    assert math.isnan(found.cents)
    assert math.isnan(median_hz(nothing))
    assert median_hz(np.array([0.0, 100.0, 300.0, 200.0])) == 200


def test_longer_contour_is_cut() -> None:
    source = _source()
    assert compare_f0(source[:-7], source).voicing == 1


@given(st.floats(-2400, 2400))
def test_transposition_is_measured_in_cents(cents: float) -> None:
    source = _source()
    found = f0_cents(source, source * 2 ** (cents / 1200))
    np.testing.assert_allclose(found, cents, atol=1e-6)
    assert len(found) == np.count_nonzero(source)
    np.testing.assert_allclose(f0_cents(source * 2 ** (cents / 1200), source), -cents, atol=1e-6)


def test_share_of_gross_errors_needs_some_frame() -> None:
    assert gross_share(np.array([0.0, 99.0, -101.0, 1200.0])) == 0.5
    assert math.isnan(gross_share(np.zeros(0)))
    assert math.isnan(voicing_agreement(np.zeros(0), np.zeros(0)))
