"""F0 against F0 with known faults."""

from __future__ import annotations

import math

import numpy as np
import pytest

from voicegraph.training.evaluate._f0_metrics import compared, median_hz


def _source() -> np.ndarray:
    time = np.arange(600) / 100
    f0 = 120 * 2 ** (0.3 * np.sin(2 * np.pi * 0.8 * time))
    return np.where(time % 1 < 0.7, f0, 0.0)


def test_a_transposition_is_no_error() -> None:
    source = _source()
    found = compared(source * 2 ** (7 / 12), source)
    assert found.cents == pytest.approx(0, abs=1e-9)
    assert (found.gross, found.voicing) == (0.0, 1.0)
    assert found.start == pytest.approx(0, abs=1e-9)


def test_known_errors_are_found() -> None:
    source = _source()
    made = source.copy()
    voiced = np.flatnonzero(source)
    made[voiced[::10]] *= 2  # octaves
    made[voiced[5::10]] = 0
    found = compared(made, source)
    assert found.gross == pytest.approx(1 / 9, abs=1e-3)
    assert found.voicing == pytest.approx(1 - len(voiced) / 10 / len(source), abs=1e-3)
    assert found.cents == pytest.approx(0, abs=1e-9)


def test_a_shift_of_half_the_frames_is_halved_by_the_median() -> None:
    source = _source()
    made = source * 2 ** (np.where(np.arange(len(source)) % 2, 40, 0) / 1200)
    assert compared(made, source).cents == pytest.approx(20, abs=1)


def test_a_register_found_late_is_seen() -> None:
    source = _source()
    voiced = np.cumsum(source > 0)
    made = source * 2 ** (np.where(voiced <= 100, -300, 500) / 1200)
    assert compared(made, source).start == pytest.approx(-8, abs=1e-6)


def test_what_has_no_voice() -> None:
    nothing = np.zeros(300)
    found = compared(nothing, nothing)
    assert found.voicing == 1
    assert math.isnan(found.cents)
    assert math.isnan(median_hz(nothing))
    assert median_hz(np.array([0.0, 100.0, 300.0, 200.0])) == 200


def test_the_shorter_one_decides() -> None:
    source = _source()
    assert compared(source[:-7], source).voicing == 1
