"""Declicking: short ramps that join audio at a gap or a cut without a click.

The last value before the cut decays to zero while the audio after it rises from zero. Both ramps
are half a cosine, so neither value nor slope jumps. No audio is repeated.
"""

from __future__ import annotations

import math

import numpy as np

SECONDS = 0.005
"""Length of a ramp in seconds: too short for an audible gap, too long for a click."""


class DeclickRamps:
    """Ramps for one rate.

    Args:
        rate: in Hz.

    Attributes:
        count: samples of a ramp.
        rise: float32 ``[count]``, from 0 to 1.
        fall: float32 ``[count]``, from 1 to 0.
    """

    def __init__(self, rate: float) -> None:
        self.count = max(8, round(SECONDS * rate))
        self.rise, self.fall = _ramps(self.count)

    def ramps(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Rise and fall of at most ``most`` samples; in a shorter block the ramps are shorter."""
        return (self.rise, self.fall) if most >= self.count else _ramps(most)

    def join(self, last: np.ndarray, frames: np.ndarray, cut: bool = False) -> None:
        """Makes ``frames`` ``[C, N]`` start at the values ``last`` ``[C]``, in place.

        With ``cut``, frames shorter than the ramp hold its beginning: the next ones are joined
        again.
        """
        count = frames.shape[-1]
        rise, fall = (self.rise[:count], self.fall[:count]) if cut else self.ramps(count)
        frames[:, : len(rise)] *= rise
        frames[:, : len(rise)] += last[:, None] * fall


def _ramps(count: int) -> tuple[np.ndarray, np.ndarray]:
    phase = (np.arange(count) + 1) / (count + 1)
    rise = (0.5 - 0.5 * np.cos(math.pi * phase)).astype(np.float32)
    return rise, (0.5 + 0.5 * np.cos(math.pi * phase)).astype(np.float32)
