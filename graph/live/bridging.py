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


class Bridge:
    """Ramps for one rate.

    Args:
        rate: in Hz.
    """

    def __init__(self, rate: float) -> None:
        self.count = max(8, round(SECONDS * rate))
        phase = (np.arange(self.count) + 1) / (self.count + 1)
        self.rise = (0.5 - 0.5 * np.cos(math.pi * phase)).astype(np.float32)
        self.fall = (0.5 + 0.5 * np.cos(math.pi * phase)).astype(np.float32)

    def join(self, last: np.ndarray, frames: np.ndarray) -> None:
        """Lets ``frames`` ``[C, N]`` begin where ``last`` ``[C]`` left off; changed in place."""
        count = min(self.count, frames.shape[-1])
        frames[:, :count] *= self.rise[:count]
        frames[:, :count] += last[:, None] * self.fall[:count]

    def silence(self, last: np.ndarray, frames: np.ndarray) -> None:
        """Makes ``frames`` ``[C, N]`` silent, behind a decay from ``last``; changed in place."""
        frames[...] = 0
        count = min(self.count, frames.shape[-1])
        frames[:, :count] = last[:, None] * self.fall[:count]
