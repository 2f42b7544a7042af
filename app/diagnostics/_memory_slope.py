"""Growth of memory over time, with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_SEGMENTS = 20
"""Neighbouring samples are alike, so their means over segments are compared."""
_FEWEST = 4
"""Segments below which an interval means nothing."""


@dataclass(frozen=True, slots=True)
class MemorySlope:
    """Growth in MB a second.

    Attributes:
        value: by least squares.
        interval: confidence interval of 95 %; None if there are too few samples.
    """

    value: float
    interval: tuple[float, float] | None

    @property
    def surely_grows(self) -> bool:
        """Whether the growth is more than chance."""
        return self.interval is None or self.interval[0] > 0


def memory_slope(at: Sequence[float], megabytes: Sequence[float]) -> MemorySlope | None:
    """The growth of memory; None with fewer than three samples.

    Args:
        at: seconds.
        megabytes: memory at these times.
    """
    if len(at) < 3:
        return None
    count = min(_SEGMENTS, len(at))
    x = np.array([part.mean() for part in np.array_split(np.asarray(at, float), count)])
    y = np.array([part.mean() for part in np.array_split(np.asarray(megabytes, float), count)])
    x -= x.mean()
    spread = float(x @ x)
    value = float(x @ y) / spread
    if count < _FEWEST:
        return MemorySlope(value, None)
    left = y - y.mean() - value * x
    error = math.sqrt(float(left @ left) / (count - 2) / spread)
    around = _student(count - 2) * error
    return MemorySlope(value, (value - around, value + around))


def _student(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
