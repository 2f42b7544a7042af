"""``f0.harvest``: F0 by Harvest, accurate; takes a third of a core in real time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from voicegraph.graph import register
from voicegraph.nodes.f0._estimator import FRAMES_HZ, RATE, F0Estimator, F0Params
from voicegraph.nodes.world import world_library


@register("f0.harvest")
class Harvest(F0Estimator[F0Params]):
    """F0 by WORLD's Harvest and a median filter of 3 frames.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. It analyses exactly the requested span, extended by ``context``. It is the default
    of RVC.

    M. Morise, "Harvest: a high-performance fundamental frequency estimator from speech signals",
    Interspeech 2017.
    """

    releases_gil = True
    shortest = Fraction(60, 1000)  # three periods of 50 Hz
    examples = ({}, {"context": "15ms", "fill": True, "floor": 70.0, "ceiling": 300.0})

    def estimate(self, params: F0Params, audio: np.ndarray) -> np.ndarray:
        """F0 of one stream in Hz."""
        from scipy.signal import medfilt

        period = 1000 / FRAMES_HZ
        return medfilt(world_library.harvest(audio, RATE, params.floor, params.ceiling, period), 3)
