"""Means over two random units."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments.listening._crossed import crossed_mean


def _drawn(random: np.random.Generator, shift: float = 0.0) -> np.ndarray:
    """Ten listeners and twelve speakers, who both differ, and noise."""
    listeners, speakers = random.normal(0, 1, (10, 1)), random.normal(0, 1, (1, 12))
    return shift + listeners + speakers + random.normal(0, 1, (10, 12))


def test_false_alarms_stay_below_their_level() -> None:
    random = np.random.default_rng(1)
    p = [crossed_mean(_drawn(random)).p or 0 for _ in range(2000)]
    rate = np.mean(np.array(p) < 0.05)
    assert 0.02 < rate < 0.06  # .05, with four standard errors of 2,000 draws; it is conservative


def test_speakers_alone_would_give_false_alarms() -> None:
    """Why listeners count as a sample: without them every third test of nothing shows something."""
    from scipy import stats

    random = np.random.default_rng(1)
    p = [stats.ttest_1samp(_drawn(random).mean(axis=0), 0)[1] for _ in range(500)]
    assert np.mean(np.array(p) < 0.05) > 0.15


def test_interval_holds_the_truth() -> None:
    random = np.random.default_rng(2)
    found = [crossed_mean(_drawn(random, 0.7)) for _ in range(1000)]
    held = np.mean([(f.low or 0) < 0.7 < (f.high or 0) for f in found])
    assert 0.94 < held < 0.99


def test_min_f_of_a_small_table() -> None:
    """By hand: means of rows 1, 2, 3, 4 and of columns 2.5 six times."""
    values = np.repeat(np.array([[1.0], [2.0], [3.0], [4.0]]), 6, axis=1)
    found = crossed_mean(values)
    error = np.var([1, 2, 3, 4], ddof=1) / 4
    assert found.mean == 2.5
    assert found.high == pytest.approx(2.5 + 3.182446 * np.sqrt(error), rel=1e-6)  # t of 3


def test_missing_ratings_are_left_out() -> None:
    values = np.ones((5, 7)) + np.random.default_rng(0).normal(0, 0.1, (5, 7))
    holes = values.copy()
    holes[0, 1] = np.nan
    with_empty = np.vstack([holes, np.full(7, np.nan)])
    assert crossed_mean(holes) == crossed_mean(with_empty)
    assert crossed_mean(holes).mean == pytest.approx(np.nanmean(holes))


@pytest.mark.parametrize("shape", [(3, 12), (12, 5)])
def test_too_few_are_described_and_not_tested(shape: tuple[int, int]) -> None:
    found = crossed_mean(np.arange(float(np.prod(shape))).reshape(shape))
    assert (found.low, found.high, found.p) == (None, None, None)
    assert (found.listeners, found.speakers) == shape


def test_equal_differences_need_no_spread() -> None:
    assert crossed_mean(np.zeros((5, 7))).p == 1.0
    assert crossed_mean(np.ones((5, 7))).p == 0.0


def test_no_ratings_are_no_mean() -> None:
    with pytest.raises(ValueError, match="no ratings"):
        crossed_mean(np.full((3, 3), np.nan))
