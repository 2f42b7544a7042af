"""BCa intervals, against SciPy on one column at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from voicegraph.experiments.statistics.intervals import mean_intervals


def test_intervals_agree_with_scipy() -> None:
    random = np.random.default_rng(1)
    for speakers in (16, 24):  # of fewer, some resamples only permute: their means tie
        table = random.standard_exponential((speakers, 70))
        low, high = mean_intervals(table, seed=9)
        for i in (0, 40, 69):
            theirs = stats.bootstrap(
                (table[:, i],), np.mean, n_resamples=10_000, batch=500, method="BCa",
                rng=np.random.default_rng(9),
            ).confidence_interval  # fmt: skip
            assert (low[i], high[i]) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_interval_of_a_column_does_not_depend_on_others() -> None:
    table = np.random.default_rng(3).standard_normal((6, 70)) * 1e-3 + 5
    together = mean_intervals(table)
    for i in (0, 33, 69):
        low, high = mean_intervals(table[:, i : i + 1])
        assert (low[0], high[0]) == (together[0][i], together[1][i])


def test_no_interval_of_equal_values_or_two_speakers() -> None:
    equal = np.array([[1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [1.0, 0.5]])
    low, high = mean_intervals(equal)
    assert np.isnan(low[0])
    assert low[1] < 0.275 < high[1]
    for speakers in (0, 1, 2):
        low, high = mean_intervals(np.ones((speakers, 2)) * np.arange(2))
        assert np.isnan([*low, *high]).all()


def test_intervals_cover_the_mean_as_often_as_they_say() -> None:
    random = np.random.default_rng(2)
    table = random.standard_normal((20, 1500))
    low, high = mean_intervals(table, draws=2000)
    covered = np.mean((low < 0) & (high > 0))
    # BCa of 20 values covers somewhat less than 95 %; 1,500 columns: standard error .006.
    assert 0.915 < covered < 0.965
