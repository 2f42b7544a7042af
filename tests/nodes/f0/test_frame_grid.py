"""From an estimator's own frames onto those at every 10 ms."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.nodes.f0.frame_grid import GridPositions, resample_to_grid


def test_even_in_cents_between_voiced_frames() -> None:
    found = resample_to_grid(np.array([0.0, 0.016, 0.032]), np.array([100.0, 110.0, 110.0]), 4)
    np.testing.assert_allclose(found, [100, 100 * 1.1 ** (10 / 16), 110, 110])


def test_voicing_of_the_nearest() -> None:
    times = np.arange(4) * 0.016
    found = resample_to_grid(times, np.array([100.0, 0.0, 0.0, 120.0]), 6)
    np.testing.assert_allclose(found, [100, 0, 0, 0, 120, 120])


def test_nothing_lies_between_the_ends_of_a_jump() -> None:
    found = resample_to_grid(np.array([0.0, 0.016]), np.array([100.0, 200.0]), 2)
    np.testing.assert_allclose(found, [100, 200])


def test_few_frames() -> None:
    assert not resample_to_grid(np.zeros(0), np.zeros(0), 3).any()
    np.testing.assert_allclose(resample_to_grid(np.array([0.005]), np.array([90.0]), 3), 90)


@given(st.lists(st.sampled_from([0.0, 90.0, 100.0, 250.0]), min_size=1, max_size=20))
def test_its_own_grid_stays(f0: list[float]) -> None:
    times = np.arange(len(f0)) / 100
    np.testing.assert_allclose(resample_to_grid(times, np.array(f0), len(f0)), f0)


@given(
    st.lists(st.sampled_from([0.0, 90.0, 100.0, 250.0]), min_size=2, max_size=20),
    st.floats(0.0, 0.02),
    st.floats(0.004, 0.03),
)
def test_never_beyond_its_neighbours(f0: list[float], start: float, step: float) -> None:
    times = start + np.arange(len(f0)) * step
    found = resample_to_grid(times, np.array(f0), 40)
    assert np.isfinite(found).all()
    voiced = [f for f in f0 if f]
    if voiced:
        assert set(found[(found > 0)] >= min(voiced) - 1e-9) <= {True}
        assert found.max() <= max(voiced) + 1e-9
    else:
        assert not found.any()


_TIMES = np.arange(4) * 0.016
_F0 = np.array([100.0, 100.0, 120.0, 120.0])


def test_voicing_ends_where_the_confidence_does() -> None:
    positions = GridPositions.of(_TIMES, 5)
    # 0.5 is crossed at 19 ms and at 23 ms; by the nearest frame, both would end at 24 ms.
    early, late = (
        positions.by_confidence(_F0, np.array([0.9, confidence, 0.1, 0.1]), 0.5)
        for confidence in (0.6, 0.8)
    )
    np.testing.assert_allclose(early, [100, 100, 0, 0, 0])
    np.testing.assert_allclose(late, [100, 100, 100, 0, 0])


def test_a_frame_without_confidence_has_the_f0_of_its_voiced_neighbour() -> None:
    found = GridPositions.of(_TIMES, 3).by_confidence(_F0, np.array([0.1, 0.48, 0.9, 0.9]), 0.5)
    np.testing.assert_allclose(found, [0, 0, 120])


@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20),
    st.floats(0.05, 1.0),
    st.data(),
)
def test_voiced_exactly_where_the_confidence_reaches_the_threshold(
    confidence: list[float], threshold: float, data: st.DataObject
) -> None:
    times = np.arange(len(confidence)) * 0.016
    f0 = np.array(data.draw(st.lists(st.floats(60, 500), min_size=len(times), max_size=len(times))))
    count = int(times[-1] * 100) + 1
    found = GridPositions.of(times, count).by_confidence(f0, np.array(confidence), threshold)
    sure = np.interp(np.arange(count) / 100, times, confidence)
    clear = np.abs(sure - threshold) > 1e-9
    np.testing.assert_array_equal((found > 0)[clear], (sure >= threshold)[clear])
    assert set(found[found > 0] >= f0.min() - 1e-9) <= {True}
    assert found.max() <= f0.max() + 1e-9
