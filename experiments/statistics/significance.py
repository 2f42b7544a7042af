"""Tests whether the mean of paired differences is zero, by SciPy.

Each takes the differences of several comparisons at once, ``[speakers, columns]``, and gives a
two-sided p for each column. No column may hold equal values.

Sources: E. J. G. Pitman, "Significance tests which may be applied to samples from any populations",
1937 (sign flips); F. Wilcoxon, "Individual comparisons by ranking methods", 1945; B. Efron and
R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 16.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy import stats

from .intervals import DRAWS, bootstrap

Test = Literal["permutation", "wilcoxon", "bootstrap"]
EXACT = 16
"""Up to so many speakers all ``2 ** n`` sign flips are tried."""
_BATCH = 500
_COLUMNS = 64


def p_values(differences: np.ndarray, test: Test, seed: int = 0, draws: int = DRAWS) -> np.ndarray:
    """Two-sided p of each column.

    Args:
        differences: float64 ``[speakers, columns]``, finite, no column of equal values.
        test: how.
        seed: of what is random.
        draws: number of random sign flips or resamples, where not all can be tried.
    """
    made = [
        _TESTS[test](differences[:, start : start + _COLUMNS], seed, draws)
        for start in range(0, differences.shape[1], _COLUMNS)
    ]
    return np.concatenate(made) if made else np.zeros(0)


def least_p(speakers: int, test: Test, draws: int = DRAWS) -> float:
    """The least p that a test of so many speakers can give."""
    if test == "bootstrap":
        return 1 / (draws + 1)
    if test == "wilcoxon" or speakers <= EXACT:
        return 2.0 ** (1 - speakers)
    return 2 / draws


def _sign_flips(differences: np.ndarray, seed: int, draws: int) -> np.ndarray:
    exact = len(differences) <= EXACT
    found = stats.permutation_test(
        (np.ascontiguousarray(differences.T),),
        np.mean,
        axis=-1,
        permutation_type="samples",
        n_resamples=2**EXACT if exact else draws - 1,
        batch=_BATCH,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return np.minimum(found.pvalue, 1.0)


def _signed_ranks(differences: np.ndarray, seed: int, draws: int) -> np.ndarray:
    return np.array([_signed_rank(column, seed, draws) for column in differences.T])


def _signed_rank(column: np.ndarray, seed: int, draws: int) -> float:
    """Exact without ties and zeros (counted by Pratt's rule); else by sign flips of the ranks."""
    tied = len(np.unique(np.abs(column))) < len(column) or not column.all()
    method: Any = "auto"
    if tied:
        exact = len(column) <= EXACT
        method = stats.PermutationMethod(
            n_resamples=2**EXACT if exact else draws - 1,
            batch=_BATCH,
            rng=np.random.default_rng(seed),
        )
    found: Any = stats.wilcoxon(column, zero_method="pratt", method=method)
    return float(found.pvalue)


def _bootstrapped(differences: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """How often the mean of a resample is as far from the mean as the mean is from zero."""
    means = differences.mean(0)
    drawn = bootstrap(differences, seed, draws).means - means[:, None]
    return (1 + (np.abs(drawn) >= np.abs(means)[:, None]).sum(1)) / (draws + 1)


_TESTS: dict[Test, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "permutation": _sign_flips,
    "wilcoxon": _signed_ranks,
    "bootstrap": _bootstrapped,
}
