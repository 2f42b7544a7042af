"""Power and equivalence, against SciPy's distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from voicegraph.experiments.statistics.equivalence import p_equivalence
from voicegraph.experiments.statistics.power import detectable_effect, power


def _power(effect: float, n: int) -> float:
    critical = stats.t.ppf(0.975, n - 1)
    shift = effect * np.sqrt(n)
    return float(stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift))


def test_power_is_that_of_the_noncentral_t_distribution() -> None:
    for n in (6, 10, 24):
        for effect in (0.2, 0.5, 1.0):
            assert power(effect, n) == pytest.approx(_power(effect, n), abs=1e-6)
        assert _power(detectable_effect(n), n) == pytest.approx(0.8, abs=1e-6)


def test_equivalence_is_two_one_sided_t_tests() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        differences = random.normal(0.1, 1, int(random.integers(6, 30)))
        low: Any = stats.ttest_1samp(differences, -0.5, alternative="greater")
        high: Any = stats.ttest_1samp(differences, 0.5, alternative="less")
        assert p_equivalence(differences, 0.5) == pytest.approx(max(low.pvalue, high.pvalue))
