"""What WORLD finds in a clip before it is synthesized anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voicegraph.nodes.world import world_library

from ..metric import TRUTH_HZ

PERIOD_MS = 1000 / TRUTH_HZ
_FLOOR_HZ, _CEILING_HZ = 71.0, 550.0
_TOLERANCE = 0.1
"""WORLD's own default."""
_ALL_NOISE = 0.999
"""Aperiodicity from which on a frame has no pulse that is heard."""


@dataclass(slots=True)
class WorldContour:
    """F0 and aperiodicity of a clip.

    Attributes:
        whole: the clip, float64 ``[samples]``.
        rate: in Hz.
        f0: in Hz ``[frames]`` every 5 ms, 0 where unvoiced: DIO's, refined by StoneMask, without
            the frames that D4C finds unvoiced.
        times: of the frames, in seconds.
        noise: aperiodicity ``[frames, bins]``, 0..1.
        size: of the FFT.
    """

    whole: np.ndarray
    rate: int
    f0: np.ndarray
    times: np.ndarray
    noise: np.ndarray
    size: int

    @classmethod
    def of(cls, audio: np.ndarray, rate: int) -> WorldContour:
        """Of float32 ``[samples]``."""
        whole = np.ascontiguousarray(audio, np.float64)
        coarse, times = world_library.dio(
            whole, rate, _FLOOR_HZ, _CEILING_HZ, PERIOD_MS, _TOLERANCE
        )
        f0 = world_library.refine(whole, coarse, times, rate)
        size = world_library.fft_size(rate, _FLOOR_HZ)
        noise = world_library.aperiodicity(whole, f0, times, rate, size)
        f0[(noise > _ALL_NOISE).all(axis=1)] = 0.0
        f0[f0 <= world_library.lowest_f0(rate, size)] = 0.0
        return cls(whole, rate, f0, times, noise, size)

    def envelope(self, f0: np.ndarray | None = None) -> np.ndarray:
        """Power envelope ``[frames, bins]`` by CheapTrick, with another contour if one is given."""
        given = self.f0 if f0 is None else f0
        return world_library.envelope(self.whole, given, self.times, self.rate, self.size)
