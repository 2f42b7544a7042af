"""Pairs the values of two series of a port by their times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..runtime.port_series import EPSILON_S, PortSeries


@dataclass(frozen=True, slots=True)
class MatchedSeries:
    """Two signals, value by value.

    Attributes:
        times: seconds, ``[T]``.
        reference: of A, ``[T, W]``.
        other: of B, ``[T, W]``.
        gap_s: largest distance in time of two values that were matched.
    """

    times: np.ndarray
    reference: np.ndarray
    other: np.ndarray
    gap_s: float


def match_in_time(one: PortSeries, two: PortSeries, rate: float) -> MatchedSeries:
    """Pairs the values of two series that are nearest in time, at most half a step apart."""
    if len(one.times) == len(two.times) and np.allclose(
        one.times, two.times, rtol=0, atol=EPSILON_S
    ):
        return MatchedSeries(one.times, one.values, two.values, 0.0)
    if not len(one.times) or not len(two.times):
        nothing = one.values[:0]
        return MatchedSeries(one.times[:0], nothing, nothing, 0.0)
    after = np.clip(np.searchsorted(two.times, one.times), 1, max(1, len(two.times) - 1))
    after = np.minimum(after, len(two.times) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(one.times - two.times[before]) <= np.abs(one.times - two.times[after])
    nearest = np.where(earlier, before, after)
    gaps = np.abs(one.times - two.times[nearest])
    near = gaps <= 0.5 / rate + EPSILON_S
    largest = float(gaps[near].max(initial=0.0))
    return MatchedSeries(
        one.times[near],
        one.values[near],
        two.values[nearest[near]],
        largest if largest > EPSILON_S else 0.0,
    )
