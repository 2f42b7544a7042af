"""Confidence intervals of means over speakers: the BCa bootstrap.

Source: B. Efron, "Better bootstrap confidence intervals", JASA 82 (397), 1987; by SciPy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

DRAWS = 10_000
LEVEL = 0.95
"""Confidence level."""
_BATCH = 500
"""Resamples in memory at once. Fixed, since the random numbers are drawn batch by batch."""
_COLUMNS = 64
"""Columns in memory at once."""
_DECIMALS = 12
"""Of means of values between -1 and 1."""
_ROUNDING = 1e-12
"""Values that differ by less than this share of the largest are equal."""


class Resampled(NamedTuple):
    """A bootstrap.

    Attributes:
        low: lower ends ``[columns]`` of the intervals.
        high: upper ends.
        means: of the resamples, ``[columns, draws]``.
    """

    low: np.ndarray
    high: np.ndarray
    means: np.ndarray


def mean_intervals(
    values: np.ndarray, seed: int = 0, draws: int = DRAWS
) -> tuple[np.ndarray, np.ndarray]:
    """95 % intervals of the means of each column; every column sees the same resamples.

    Args:
        values: float64 ``[speakers, columns]``, finite.
        seed: of the resamples.
        draws: number of resamples.

    Returns:
        Lower and upper ends ``[columns]``; NaN for equal values and for fewer than 3 speakers,
        of which no interval can be made.
    """
    found = np.asarray(values, np.float64)
    low = np.full(found.shape[1], np.nan)
    high = low.copy()
    usable = np.flatnonzero(~constant(found)) if len(found) >= 3 else np.zeros(0, np.int64)
    for start in range(0, len(usable), _COLUMNS):
        part = usable[start : start + _COLUMNS]
        made = bootstrap(found[:, part], seed, draws)
        low[part], high[part] = made.low, made.high
    return low, high


def bootstrap(values: np.ndarray, seed: int, draws: int) -> Resampled:
    """SciPy's bootstrap of the means of columns ``[speakers, columns]``, none of equal values.

    Resamples that only permute the speakers have the same mean, and BCa counts such ties. So means
    are rounded, or the interval would depend on the order in which numbers are added.
    """
    center = values.mean(0)
    scale = np.abs(values - center).max(0)
    found = stats.bootstrap(
        (np.ascontiguousarray(((values - center) / scale).T),),
        _rounded_mean,
        axis=-1,
        n_resamples=draws,
        batch=_BATCH,
        confidence_level=LEVEL,
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    low, high = found.confidence_interval
    means = np.asarray(found.bootstrap_distribution) * scale[:, None] + center[:, None]
    return Resampled(low * scale + center, high * scale + center, means)


def _rounded_mean(values: np.ndarray, axis: int) -> np.ndarray:
    return np.round(np.mean(values, axis), _DECIMALS)


def constant(values: np.ndarray) -> np.ndarray:
    """Whether all values of a column ``[speakers, columns]`` are equal, up to rounding."""
    if not len(values):
        return np.ones(values.shape[1], bool)
    return np.ptp(values, 0) <= _ROUNDING * np.abs(values).max(0)
