"""The mean of neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.nodes.retrieval.blending import neighbour_mean

from ...tolerance import FLOAT32, assert_close

pytestmark = pytest.mark.numeric

VECTORS = np.random.default_rng(1).standard_normal((1, 4, 6)).astype(np.float32)


def _of(*distances: float) -> tuple[np.ndarray, bool]:
    mean, found = neighbour_mean(np.array([distances], np.float32), VECTORS)
    assert mean.dtype == np.float32
    return mean[0], bool(found[0])


def test_weights_are_inverse_squares_of_squared_distances() -> None:
    weights = np.array([1, 1 / 4, 1 / 16, 1 / 100])
    expected = (weights[:, None] * VECTORS[0]).sum(0) / weights.sum()
    mean, found = _of(1, 2, 4, 10)
    assert_close(mean, expected, FLOAT32)
    assert found


def test_an_exact_match_is_that_vector() -> None:
    mean, _ = _of(0, 1, 2, 3)
    np.testing.assert_array_equal(mean, VECTORS[0, 0])


def test_several_exact_matches_are_averaged() -> None:
    mean, _ = _of(0, 0, 0, 1e-30)
    assert_close(mean, VECTORS[0, :3].mean(0), FLOAT32)


def test_missing_neighbours_are_left_out() -> None:
    mean, found = _of(2, 2, np.inf, np.inf)
    assert_close(mean, VECTORS[0, :2].mean(0), FLOAT32)
    assert found


def test_no_neighbour_is_told() -> None:
    mean, found = _of(np.inf, np.inf, np.inf, np.inf)
    assert not found
    assert np.isfinite(mean).all()


@given(st.lists(st.floats(0, 2.0**120, width=32) | st.just(np.inf), min_size=4, max_size=4))
def test_any_distances_give_a_mean(distances: list[float]) -> None:
    mean, found = _of(*distances)
    assert found == any(np.isfinite(distances))
    low, high = VECTORS[0].min(0), VECTORS[0].max(0)
    if found:
        assert (mean >= low - 1e-5).all()
        assert (mean <= high + 1e-5).all()


def test_tiny_distances_do_not_overflow() -> None:
    mean, _ = _of(1e-30, 2e-30, 1e-3, 1)
    ratio = np.array([1e-30, 2e-30])
    weights = (ratio[0] / ratio) ** 2
    expected = (weights[:, None] * VECTORS[0, :2]).sum(0) / weights.sum()
    assert_close(mean, expected, FLOAT32)


def test_slightly_negative_distances_are_exact_matches() -> None:
    mean, _ = _of(-1e-6, 1, 2, 3)
    np.testing.assert_array_equal(mean, VECTORS[0, 0])
