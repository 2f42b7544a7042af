"""``f0.harvest``: F0 by Harvest, accurate; takes a third of a core in real time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from voicegraph.graph import register
from voicegraph.nodes.f0.estimator import FRAMES_HZ, RATE, F0Estimator, F0Params
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
        period = 1000 / FRAMES_HZ
        return _median_of_3(
            world_library.harvest(audio, RATE, params.floor, params.ceiling, period)
        )


def _median_of_3(values: np.ndarray) -> np.ndarray:
    """The median of each value and its two neighbours, zeros beyond the ends.

    Equals ``scipy.signal.medfilt(values, 3)``, whose import of 600 modules would disturb a live
    session into which this node is swapped.
    """
    padded = np.pad(values, 1)
    return np.sort(np.stack((padded[:-2], values, padded[2:])), axis=0)[1]
