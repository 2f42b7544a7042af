"""The histogram that forgets, against sorted values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.nodes.dsp.running_percentile import RunningPercentile


def _fed(tracker: RunningPercentile, values: np.ndarray, counts: np.ndarray | None = None):
    histogram = np.zeros((values.shape[0], tracker.bins))
    counts = np.ones(values.shape, bool) if counts is None else counts
    return tracker.count(histogram, tracker.places(values), counts)[-1]


def _one_more(tracker: RunningPercentile, histogram: np.ndarray, *values: float) -> np.ndarray:
    places = tracker.places(np.array(values)[:, None])
    return tracker.count(histogram, places, np.ones(places.shape, bool))[-1]


@given(
    values=st.lists(st.floats(-60, 0), min_size=1, max_size=60),
    share=st.floats(0.02, 0.98),
)
@settings(max_examples=80, deadline=None)
def test_without_forgetting_it_is_the_percentile(values: list[float], share: float) -> None:
    """To within a bin of one of the two values around it."""
    tracker = RunningPercentile(-60, 1, 122, share, 1e12)
    found = tracker.read(_fed(tracker, np.array([values])))[0]
    ordered = np.sort(values)
    place = min(int(np.ceil(share * len(ordered) - 1e-6)), len(ordered)) - 1
    # Sums are weighed by 1 - 1e-12, which may tip the scale to a neighbour.
    around = ordered[max(place - 1, 0) : place + 2]
    assert np.abs(around - found).min() <= 0.5 + 1e-6


def test_what_does_not_count_changes_nothing() -> None:
    tracker = RunningPercentile(0, 10, 20, 0.5, 30)
    values = np.random.default_rng(1).uniform(0, 10, (2, 200))
    counts = np.random.default_rng(2).random((2, 200)) < 0.4
    found = _fed(tracker, values, counts)
    for row in range(2):
        alone = _fed(tracker, values[row : row + 1, counts[row]])
        np.testing.assert_allclose(found[row], alone[0], rtol=1e-12)


def test_it_forgets_within_its_memory() -> None:
    tracker = RunningPercentile(0, 10, 100, 0.5, 100)
    histogram = _fed(tracker, np.full((1, 1000), 2.05))
    crossed = 0
    while tracker.read(histogram)[0] < 5:
        histogram = _one_more(tracker, histogram, 8.05)
        crossed += 1
    assert crossed == pytest.approx(100 * np.log(2), abs=2)


def test_all_frames_at_once_are_one_after_the_other() -> None:
    """To the bit, whatever a block is."""
    tracker = RunningPercentile(0, 10, 20, 0.5, 30)
    values = np.random.default_rng(1).uniform(0, 10, (2, 50))
    counts = np.random.default_rng(2).random((2, 50)) < 0.6
    histogram = tracker.prefilled(2, 5.0, 3.0)
    made = tracker.count(histogram, tracker.places(values), counts)
    for k in range(values.shape[1]):
        places = tracker.places(values[:, k : k + 1])
        histogram = tracker.count(histogram, places, counts[:, k : k + 1])[0]
        np.testing.assert_array_equal(made[k], histogram)
        np.testing.assert_array_equal(tracker.read(made)[k], tracker.read(histogram))


def test_ends_and_nothing() -> None:
    tracker = RunningPercentile(0, 10, 10, 0.5, 100)
    np.testing.assert_array_equal(tracker.read(np.zeros((2, 10))), [0, 0])
    found = tracker.read(_fed(tracker, np.array([[-50.0], [99.0]])))
    np.testing.assert_allclose(found, [0.5, 9.5])


def test_begun_counts_as_values_do() -> None:
    tracker = RunningPercentile(0, 10, 100, 0.5, 1e12)
    histogram = tracker.prefilled(2, 3.05, 4.0)
    for value in (7.05,) * 3:
        histogram = _one_more(tracker, histogram, value, 1.05)
    np.testing.assert_allclose(tracker.read(histogram), 3.05, atol=0.051)
    for _ in range(2):
        histogram = _one_more(tracker, histogram, 7.05, 1.05)
    np.testing.assert_allclose(tracker.read(histogram), [7.0, 1.1], atol=0.06)
