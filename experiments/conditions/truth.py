"""Resynthesizes a clip, so that its F0 is known exactly."""

from __future__ import annotations

from typing import Literal

import numpy as np

from voicegraph.nodes.world import world_library

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import at_level_of, with_length
from ._world_contour import PERIOD_MS, WorldContour

_SMOOTHED = np.hanning(9)[1:-1]


class TruthParams(Params):
    """Params of ``truth``."""

    truth: Literal["world"]
    """The vocoder."""


@condition("truth")
class Truth(Condition):
    """The clip by the vocoder WORLD: its pulses lie where the contour says, so the F0 is known.

    The contour is DIO's, refined by StoneMask, without the frames that WORLD's D4C finds unvoiced,
    and smooth over 35 ms, as trackers hear it; but whatever it is, the sound has it. Level and
    length stay.

    M. Morise, F. Yokomori, K. Ozawa, WORLD: a vocoder-based high-quality speech synthesis system
    for real-time applications, IEICE Trans. Inf. & Syst. E99-D(7), 2016.
    """

    text = "resynthesis by WORLD, whose F0 is known exactly; gives `f0` at 200 Hz"
    params = TruthParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Gives the sound, and ``f0`` in Hz ``[frames]`` every 5 ms, 0 where unvoiced."""
        del given, seed
        found = WorldContour.of(audio, rate)
        f0 = _smooth(found.f0)
        envelope = found.envelope(f0)
        made = world_library.synthesize(f0, envelope, found.noise, rate, PERIOD_MS)
        return at_level_of(with_length(made, len(audio)), audio), {"f0": f0.astype(np.float32)}


def _smooth(f0: np.ndarray) -> np.ndarray:
    """Averages pitch over the voiced frames of 35 ms; ``[frames]``, the same ones voiced."""
    voiced = f0 > 0
    pitch = np.log(np.where(voiced, f0, 1.0))
    total = np.convolve(np.where(voiced, pitch, 0.0), _SMOOTHED, "same")[: len(f0)]
    weight = np.convolve(voiced.astype(np.float64), _SMOOTHED, "same")[: len(f0)]
    return np.where(voiced, np.exp(total / np.maximum(weight, 1e-9)), 0.0)
