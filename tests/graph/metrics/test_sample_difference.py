"""Difference value by value: known gains and noise are measured as what they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.metrics.sample_difference import (
    DifferenceSums,
    bit_equal,
    difference_sums,
    gain_db,
    largest_difference,
    local_rms,
    snr_db,
)

SEEDS = st.integers(0, 2**16)


def _noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, shape or (1000,))


@given(SEEDS, st.floats(-60, 60))
def test_gain_is_measured_in_decibels(seed: int, gain: float) -> None:
    a = _noise(seed)
    found = difference_sums(a, a * 10 ** (gain / 20))
    assert found.gain_db == pytest.approx(gain, abs=1e-9)
    assert found.relative == pytest.approx(abs(10 ** (gain / 20) - 1), abs=1e-12)


@given(SEEDS, st.floats(-20, 120))
def test_added_noise_is_measured_as_snr(seed: int, wanted: float) -> None:
    a, noise = _noise(seed), _noise(seed + 1)
    noise *= np.sqrt(np.square(a).sum() / np.square(noise).sum()) * 10 ** (-wanted / 20)
    found = difference_sums(a, a + noise)
    assert found.snr_db == pytest.approx(wanted, abs=1e-6)
    assert found.relative == pytest.approx(10 ** (-wanted / 20), rel=1e-6)
    assert found.rms == pytest.approx(np.sqrt(np.square(noise).mean()), rel=1e-6)
    assert found.largest == pytest.approx(np.abs(noise).max(), rel=1e-6)


@given(SEEDS)
def test_differences_are_symmetric_and_gain_is_opposite(seed: int) -> None:
    a, b = _noise(seed), _noise(seed + 1)
    one, two = difference_sums(a, b), difference_sums(b, a)
    assert (one.rms, one.largest) == (two.rms, two.largest)
    assert one.gain_db == pytest.approx(-two.gain_db)


@given(SEEDS, st.integers(1, 999))
def test_sums_of_parts_are_those_of_the_whole(seed: int, cut: int) -> None:
    a, b = _noise(seed), _noise(seed + 1)
    whole = difference_sums(a, b)
    parts = difference_sums(a[:cut], b[:cut]) + difference_sums(a[cut:], b[cut:])
    assert parts.largest == whole.largest
    assert parts.snr_db == pytest.approx(whole.snr_db)
    assert DifferenceSums() + whole == whole


def test_equal_silent_and_empty_signals() -> None:
    a, nothing = _noise(1), np.zeros(1000)
    assert (snr_db(a, a), gain_db(a, a)) == (math.inf, 0.0)
    assert (snr_db(nothing, a), gain_db(nothing, a)) == (-math.inf, math.inf)
    assert snr_db(a, a + math.inf) == -math.inf
    assert (snr_db(a, nothing), gain_db(a, nothing)) == (0.0, -math.inf)
    silent = difference_sums(nothing, nothing)
    assert all(map(math.isnan, (silent.snr_db, silent.gain_db, silent.relative)))
    assert math.isnan(DifferenceSums().rms)


def test_nothing_passes_where_nothing_was_compared() -> None:
    assert largest_difference(np.zeros(0), np.zeros(0)) == math.inf
    assert largest_difference(np.zeros(2), np.zeros(3)) == math.inf
    assert largest_difference(np.zeros(2), np.array([0, np.nan])) == math.inf
    assert largest_difference(np.array([1.0, 2.0]), np.array([1.0, 2.5])) == 0.5
    with pytest.raises(ValueError, match=r"shapes differ: \[2\] and \[3\]"):
        difference_sums(np.zeros(2), np.zeros(3))
    assert math.isnan((difference_sums(_noise(1), _noise(1)) + _with_nan()).largest)


def _with_nan() -> DifferenceSums:
    return difference_sums(np.zeros(1), np.array([np.nan]))


def test_integers_and_complex_numbers_do_not_wrap() -> None:
    assert largest_difference(np.array([200], np.uint8), np.array([100], np.uint8)) == 100
    assert snr_db(np.array([10j]), np.array([11j])) == pytest.approx(20)


def test_bits_decide_equality() -> None:
    a = np.array([0.0, 1.0], np.float32)
    assert bit_equal(a, a.copy())
    assert not bit_equal(a, np.array([-0.0, 1.0], np.float32))
    assert not bit_equal(a, a.astype(np.float64))
    assert not bit_equal(a, a[:1])
    assert bit_equal(a[::2], a[:1])


@given(SEEDS, st.integers(1, 40))
def test_local_rms_finds_the_place(seed: int, size: int) -> None:
    a = _noise(seed, 107, 3)
    b = a.copy()
    b[53] += 1
    local = local_rms(a, b, size)
    assert local.shape == (math.ceil(107 / size),)
    assert local.argmax() == 53 // size
    assert np.count_nonzero(local) == 1
