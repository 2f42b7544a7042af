"""Counter-based noise: value ``n`` depends on seed, node, stream and ``n`` alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph import random


@given(st.integers(0, 1000), st.integers(0, 60), st.integers(1, 60))
def test_any_part_equals_part_of_whole(start: int, skip: int, count: int) -> None:
    whole = random.normal(3, "noise", 1, start, skip + count)
    np.testing.assert_array_equal(whole[skip:], random.normal(3, "noise", 1, start + skip, count))


@pytest.mark.parametrize("other", [(4, "noise", 1), (3, "noisy", 1), (3, "noise", 2)])
def test_seed_node_and_stream_each_give_other_numbers(other: tuple[int, str, int]) -> None:
    found = random.words(3, "noise", 1, 0, 1000)
    assert not np.intersect1d(found, random.words(*other, 0, 1000)).size


def test_numbers_stay_the_same_between_releases() -> None:
    """Old recordings must replay: these are Philox 4x64 with a BLAKE2b key."""
    assert random.words(0, "noise", 0, 0, 2).tolist() == [5006888745038631016, 12669133681943037527]
    assert random.normal(0, "noise", 0, 0, 2).tolist() == pytest.approx(
        [0.395138, -0.248549], abs=1e-6
    )


def test_uniform_fills_the_half_open_interval() -> None:
    found = random.uniform(0, "u", 0, 0, 100_000)
    assert 0 <= found.min() < 1e-4
    assert 1 - 1e-4 < found.max() < 1
    assert abs(found.mean() - 0.5) < 0.005


def test_normal_has_mean_zero_and_deviation_one() -> None:
    found = random.normal(0, "n", 0, 0, 200_000).astype(np.float64)
    assert np.isfinite(found).all()
    assert abs(found.mean()) < 0.01
    assert abs(found.std() - 1) < 0.01
    assert abs((found**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.01


def test_tensor_has_each_stream_where_it_stands() -> None:
    found = random.normal_tensor(5, "n", torch.tensor([0, 7]), torch.tensor([10, 3]), 6)
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found[0], random.normal(5, "n", 0, 10, 6))
    np.testing.assert_array_equal(found[1], random.normal(5, "n", 7, 3, 6))


def test_parts_in_any_order_are_those_of_the_whole() -> None:
    """Whether a generator still stands where it ended or is made anew."""
    whole = random.words(3, "parts", 1, 0, 60)
    for start, count in ((0, 10), (10, 7), (17, 20), (17, 20), (3, 14), (17, 5), (22, 38)):
        found = random.words(3, "parts", 1, start, count)
        np.testing.assert_array_equal(found, whole[start : start + count])
