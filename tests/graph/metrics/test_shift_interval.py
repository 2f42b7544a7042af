"""Intervals of paired differences by the signed-rank test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from voicegraph.graph.metrics.shift_interval import shift_interval


def _p(differences: np.ndarray) -> float:
    tested: Any = stats.wilcoxon(differences, method="exact")
    return float(tested.pvalue)


@pytest.mark.parametrize("count", [6, 9, 13])
def test_limits_are_where_the_test_begins_to_reject(count: int) -> None:
    found = np.random.default_rng(count).normal(0.3, 1, count)
    _, low, high = shift_interval(found)
    for limit, outward in ((low, -1), (high, 1)):
        inside, outside = limit - outward * 1e-9, limit + outward * 1e-9
        assert _p(found - inside) > 0.05
        assert _p(found - outside) <= 0.05


def test_few_differences_have_no_interval() -> None:
    assert shift_interval([1.0, 2.0, 3.0]) == (2.0, -np.inf, np.inf)


def test_uneven_noise_gives_no_more_false_alarms_than_promised() -> None:
    random = np.random.default_rng(1)
    scales = np.exp(random.normal(0, 2, (2000, 13)))  # some repetitions are far more disturbed
    differences = random.normal(0, scales)
    missed = sum(
        not low <= 0 <= high for _, low, high in (shift_interval(row) for row in differences)
    )
    # .05 and three standard errors of 2000 trials
    assert missed / 2000 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
