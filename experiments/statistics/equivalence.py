"""Equivalence of two systems: two one-sided t-tests (TOST), by statsmodels.

Source: D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach
for assessing the equivalence of average bioavailability", 1987.
"""

from __future__ import annotations

import numpy as np


def p_equivalence(differences: np.ndarray, margin: float) -> float:
    """P of the hypothesis that the mean difference is ``margin`` or more away from zero.

    Args:
        differences: float64 ``[speakers]``, finite, not all equal.
        margin: positive, in the unit of the metric.
    """
    from statsmodels.stats.weightstats import DescrStatsW

    return float(DescrStatsW(differences).ttost_mean(-margin, margin)[0])
