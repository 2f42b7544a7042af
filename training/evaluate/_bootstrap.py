"""Confidence intervals of means: the percentile bootstrap over speakers.

Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 10_000
LEVEL = 0.95
"""Confidence level: share of the draws within the interval."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over speakers and its confidence interval.

    Attributes:
        value: the mean; NaN if nothing was measured.
        low: 2.5th percentile of the means of speakers drawn with replacement.
        high: 97.5th percentile.
        count: number of speakers.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def significant(self) -> bool:
        """Whether a difference is significant: its interval does not contain 0."""
        return self.low > 0 or self.high < 0


def mean(values: Sequence[float] | np.ndarray, seed: int = 1, draws: int = DRAWS) -> Mean:
    """The mean of ``[speakers]``, without NaN."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return Mean(float("nan"), float("nan"), float("nan"), 0)
    chosen = np.random.default_rng(seed).integers(0, len(known), (draws, len(known)))
    edge = 50 * (1 - LEVEL)
    low, high = np.percentile(known[chosen].mean(1), [edge, 100 - edge])
    return Mean(float(known.mean()), float(low), float(high), len(known))


def difference(
    values: Sequence[float] | np.ndarray, reference: Sequence[float] | np.ndarray, seed: int = 1
) -> Mean:
    """The paired mean of ``values - reference``, which varies less than a difference of means.

    Raises:
        ValueError: if their counts differ.
    """
    ours, theirs = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape} values cannot be paired with {theirs.shape}")
    return mean(ours - theirs, seed)
