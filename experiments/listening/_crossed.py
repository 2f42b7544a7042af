"""A mean over listeners and speakers, who are both samples: two crossed random units.

H. H. Clark, "The language-as-fixed-effect fallacy", Journal of Verbal Learning and Verbal Behavior
12 (1973): min F' = mean^2 / (s_L^2 + s_S^2), with s_L^2 and s_S^2 the squared standard errors over
the means of listeners and of speakers, and Satterthwaite's degrees of freedom. What both have in
common counts twice, so the test is on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST_LISTENERS, FEWEST_SPEAKERS = 4, 6


@dataclass(frozen=True, slots=True)
class CrossedMean:
    """The mean of differences.

    Attributes:
        mean: over all pairs of listener and speaker.
        low: 95 % interval; None with too few of either.
        high: its upper end.
        p: two-sided, of a mean of 0; None with too few of either.
        listeners: how many.
        speakers: how many.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    listeners: int
    speakers: int


def crossed_mean(values: np.ndarray) -> CrossedMean:
    """Tests a mean.

    Args:
        values: float64 ``[listeners, speakers]``, NaN where a listener did not rate a speaker.
            Rows and columns without a value are left out.

    Raises:
        ValueError: if there is no value.
    """
    rated = ~np.isnan(values)
    found = values[rated.any(axis=1)][:, rated.any(axis=0)]
    if not found.size:
        raise ValueError("there are no ratings")
    mean = float(np.nanmean(found))
    rows, columns = found.shape
    if rows < FEWEST_LISTENERS or columns < FEWEST_SPEAKERS:
        return CrossedMean(mean, None, None, None, rows, columns)
    listeners = _squared_error(np.nanmean(found, axis=1))
    speakers = _squared_error(np.nanmean(found, axis=0))
    error = listeners + speakers
    if error <= (1e-12 * np.nanmax(np.abs(found))) ** 2:  # all differences are the same
        return CrossedMean(mean, mean, mean, 1.0 if mean == 0 else 0.0, rows, columns)
    freedom = error**2 / (listeners**2 / (rows - 1) + speakers**2 / (columns - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(error))
    p = float(2 * stats.t.sf(abs(mean) / np.sqrt(error), freedom))
    return CrossedMean(mean, mean - half, mean + half, p, rows, columns)


def _squared_error(means: np.ndarray) -> float:
    return float(np.var(means, ddof=1) / len(means))
