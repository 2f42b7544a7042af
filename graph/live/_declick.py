"""Joining what does not belong together without a click.

Where audio stops or something is left out, the last value decays to zero, and what follows rises
from zero: half a cosine each, so that neither value nor slope jumps. Nothing that was heard before
is repeated.
"""

from __future__ import annotations

import math

import numpy as np

SECONDS = 0.005
"""Length of a bridge: short enough to be no gap, long enough to be no click."""


class DeclickRamps:
    """Ramps for one rate.

    Args:
        rate: in Hz.
    """

    def __init__(self, rate: float) -> None:
        self.count = max(8, round(SECONDS * rate))
        self.rise, self.fall = _ramps(self.count)

    def ramps(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Rise and fall of at most so many samples: in a short block they are short, not cut."""
        return (self.rise, self.fall) if most >= self.count else _ramps(most)

    def join(self, last: np.ndarray, frames: np.ndarray, cut: bool = False) -> None:
        """Lets ``frames`` ``[C, N]`` begin where ``last`` ``[C]`` left off; changed in place.

        With ``cut``, short frames hold the beginning of a long ramp: what follows is joined again.
        """
        count = frames.shape[-1]
        rise, fall = (self.rise[:count], self.fall[:count]) if cut else self.ramps(count)
        frames[:, : len(rise)] *= rise
        frames[:, : len(rise)] += last[:, None] * fall


def _ramps(count: int) -> tuple[np.ndarray, np.ndarray]:
    phase = (np.arange(count) + 1) / (count + 1)
    rise = (0.5 - 0.5 * np.cos(math.pi * phase)).astype(np.float32)
    return rise, (0.5 + 0.5 * np.cos(math.pi * phase)).astype(np.float32)
