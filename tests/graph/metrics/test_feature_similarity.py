"""Centred cosine: what it ignores, and when it says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.metrics.feature_similarity import centred_cosine, variation


def _frames(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (30, 8))


@given(st.integers(0, 99), st.floats(-100, 100), st.floats(0.01, 100))
def test_offset_and_gain_do_not_count(seed: int, offset: float, gain: float) -> None:
    frames = _frames(seed)
    moved = gain * frames + offset * _frames(seed + 1)[0]
    np.testing.assert_allclose(centred_cosine(frames, moved), 1, atol=1e-9)
    np.testing.assert_allclose(centred_cosine(frames, -moved), -1, atol=1e-9)


@given(st.integers(0, 99))
def test_cosine_is_symmetric_and_bounded(seed: int) -> None:
    one, two = _frames(seed), _frames(seed + 1)
    found = centred_cosine(one, two)
    np.testing.assert_allclose(found, centred_cosine(two, one))
    assert np.abs(found).max() <= 1


def test_one_wrong_frame_is_the_least() -> None:
    frames = _frames(1)
    other = frames.copy()
    other[7] *= -1
    found = centred_cosine(frames, other)
    assert found.argmin() == 7
    assert found[7] < -0.9


def test_constant_part_does_not_make_frames_similar() -> None:
    """The plain cosine of these is .999."""
    constant = 100 * np.ones(8)
    found = centred_cosine(_frames(1) + constant, _frames(2) + constant)
    assert abs(found.mean()) < 0.3


def test_frames_without_variation_have_no_cosine() -> None:
    still = np.tile(_frames(1)[0], (30, 1))
    assert np.isnan(centred_cosine(still, _frames(2))).all()
    assert np.isnan(centred_cosine(still, still)).all()


def test_variation_tells_alike_frames() -> None:
    frames = _frames(1)
    assert variation(frames) == pytest.approx(1, abs=0.1)
    assert variation(frames + 100) == pytest.approx(0.01, abs=0.001)
    assert variation(3 * frames + 300) == pytest.approx(variation(frames + 100))
    assert np.isnan(variation(np.zeros((4, 2))))
