"""95 % interval of a mean of few independent measurements, by Student's t."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

LEVEL = 0.95


def mean_interval(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Mean, and the limits of its 95 % interval; both are the mean if there is one value.

    Student, "The probable error of a mean", Biometrika 6, 1908.
    """
    found = np.asarray(values, np.float64)
    mean = float(found.mean())
    if len(found) < 2:
        return mean, mean, mean
    error = float(found.std(ddof=1) / np.sqrt(len(found)))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(found) - 1)) * error
    return mean, mean - reach, mean + reach
