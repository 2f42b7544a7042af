"""Corrections for the number of tests in a family.

statsmodels has both, but collects garbage in every call, which takes .2 s beside torch; the tests
compare with it.

Sources: S. Holm, "A simple sequentially rejective multiple test procedure", 1979 (family-wise error
rate); Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", 1995.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

Correction = Literal["holm", "bh", "none"]


def corrected(p: Sequence[float | None], method: Correction) -> list[float | None]:
    """Corrected p of a family; None stays None and does not count."""
    known = [i for i, value in enumerate(p) if value is not None]
    found = list(p)
    if method == "none" or not known:
        return found
    values = np.array([p[i] for i in known], np.float64)
    made = _holm(values) if method == "holm" else stats.false_discovery_control(values, method="bh")
    for i, value in zip(known, made, strict=True):
        found[i] = float(value)
    return found


def _holm(p: np.ndarray) -> np.ndarray:
    """The k-th least of m is multiplied by m - k + 1, and never less than the one before it."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty_like(p)
    found[order] = np.minimum(steps, 1)
    return found
