"""Compute times a node, kept for the newest ticks in memory of fixed size."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

KEPT = 4096
"""Ticks whose times are kept; a power of two, so that the ring index is a mask."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Compute time of one node (or a whole tick), in milliseconds."""

    median_ms: float
    p99_ms: float
    max_ms: float
    ticks: int


class Ring:
    """The newest times of one node, in nanoseconds."""

    __slots__ = ("count", "values")

    def __init__(self) -> None:
        self.values = array("q", bytes(8 * KEPT))
        self.count = 0

    def add(self, nanoseconds: int) -> None:
        """Notes one tick."""
        self.values[self.count & (KEPT - 1)] = nanoseconds
        self.count += 1

    @property
    def newest(self) -> int:
        """Nanoseconds of the newest tick; 0 before the first."""
        return self.values[(self.count - 1) & (KEPT - 1)] if self.count else 0

    def clear(self) -> None:
        """Forgets all."""
        self.count = 0

    def summary(self) -> Timing:
        """Median, 99th percentile and maximum of what is kept; zeros where nothing is."""
        kept = np.asarray(self.values[: min(self.count, KEPT)], dtype=np.float64) / 1e6
        if not kept.size:
            return Timing(0.0, 0.0, 0.0, 0)
        middle, high = np.percentile(kept, [50, 99])
        return Timing(float(middle), float(high), float(kept.max()), self.count)
