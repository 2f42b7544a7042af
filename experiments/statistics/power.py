"""What a number of speakers can show: power of the paired t-test, by statsmodels.

The sign-flip test has nearly the power of the t-test where the differences are normal.

Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988.
"""

from __future__ import annotations

from functools import lru_cache

LEVEL = 0.05
POWER = 0.8


@lru_cache
def detectable_effect(speakers: int) -> float:
    """The least d_z that so many speakers show with power .8 at level .05, two-sided.

    Args:
        speakers: at least 2.
    """
    from statsmodels.stats.power import TTestPower

    found = TTestPower().solve_power(nobs=speakers, alpha=LEVEL, power=POWER)
    return float(found)


def power(effect: float, speakers: int, level: float = LEVEL) -> float:
    """The probability that a test shows an effect d_z."""
    from statsmodels.stats.power import TTestPower

    return float(TTestPower().power(effect, speakers, level))
