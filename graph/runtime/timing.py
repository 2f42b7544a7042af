"""Compute times of nodes: a ring buffer over the newest ticks."""

from __future__ import annotations

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
        kept = np.asarray(self.values[: min(self.count, KEPT)], dtype=np.float64) / 1e6
        if not kept.size:
            return Timing(0.0, 0.0, 0.0, 0)
        middle, high = np.percentile(kept, [50, 99])
        return Timing(float(middle), float(high), float(kept.max()), self.count)
