"""Compute times of nodes: a ring buffer over the newest ticks."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

import numpy as np

KEPT = 4096
"""Capacity of the ring buffer in ticks; a power of two, so that indices can be masked."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Statistics of the compute time of one node, or of a whole tick, over ``ticks`` ticks."""

    median_ms: float
    p99_ms: float
    max_ms: float
    ticks: int


class TimingRing:
    """Ring buffer of the newest compute times of one node, in nanoseconds."""

    __slots__ = ("count", "values")

    def __init__(self) -> None:
        self.values = array("q", bytes(8 * KEPT))
        self.count = 0

    def add(self, nanoseconds: int) -> None:
        """Adds the time of one tick."""
        self.values[self.count & (KEPT - 1)] = nanoseconds
        self.count += 1

    @property
    def newest(self) -> int:
        """Nanoseconds of the newest tick; 0 before the first."""
        return self.values[(self.count - 1) & (KEPT - 1)] if self.count else 0

    def clear(self) -> None:
        """Removes all times."""
        self.count = 0

    def summary(self) -> Timing:
        """Median, 99th percentile and maximum of the buffered times; zeros if there are none."""
        count = self.count
        size = min(count, KEPT)
        if not size:
            return Timing(0.0, 0.0, 0.0, 0)
        # A copy, because the engine goes on writing; it never waits for this. Partitioning for the
        # few values that are needed takes a quarter of the time of `np.percentile`.
        kept = np.frombuffer(self.values, np.int64, size).copy()
        middle, high = 0.5 * (size - 1), 0.99 * (size - 1)
        needed = {math.floor(middle), math.ceil(middle), math.floor(high), math.ceil(high)}
        kept.partition(sorted({*needed, size - 1}))
        return Timing(_at(kept, middle), _at(kept, high), float(kept[-1]) / 1e6, count)


def _at(values: np.ndarray, place: float) -> float:
    """The value at a place between two elements, in milliseconds, by linear interpolation."""
    low, high = int(values[math.floor(place)]), int(values[math.ceil(place)])
    return (low + (high - low) * (place - math.floor(place))) / 1e6
