"""Interval of a paired difference that holds for any symmetric noise, however uneven.

Times on a busy machine are far from normal: most repetitions agree, some are disturbed. Of two
equal systems that take turns in both orders, the difference is as often above as below 0, and that
is all that the signed-rank test assumes. It is inverted here.

E. L. Lehmann, "Nonparametrics: Statistical Methods Based on Ranks", 1975; J. L. Hodges and
E. L. Lehmann, "Estimates of location based on rank tests", Ann. Math. Stat. 34, 1963.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVEL = 0.95
FEWEST = 6
"""Of fewer differences, no interval has this level: 2 / 2^5 is above .05."""


def shift_interval(differences: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Estimate of the difference, and the limits of its interval of at least 95 %.

    Args:
        differences: ``[n]``; of fewer than 6, the limits are infinite.

    Returns:
        The median of the means of all pairs, and the limits.
    """
    found = np.asarray(differences, np.float64)
    rows, columns = np.triu_indices(len(found))
    means = np.sort((found[rows] + found[columns]) / 2)
    estimate = float(np.median(means))
    if len(found) < FEWEST:
        return estimate, -np.inf, np.inf
    outside = _rank(len(found))
    return estimate, float(means[outside]), float(means[-1 - outside])


def _rank(count: int) -> int:
    """How many of the sorted means lie outside on either side: the test's critical value."""
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, count + 1):  # sums of subsets of the ranks
        ways[rank:] = ways[rank:] + ways[:-rank]
    below = np.cumsum(ways) / 2.0**count
    return int(np.searchsorted(below, (1 - LEVEL) / 2, side="right")) - 1
