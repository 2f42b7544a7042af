"""Makes a clip whispered: the same sounds without a voice."""

from __future__ import annotations

from typing import Literal

import numpy as np

from voicegraph.nodes.world import world_library

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import at_level_of, with_length
from ._world_contour import PERIOD_MS, WorldContour

_FLAT_ABOVE_HZ, _FLAT_BELOW_HZ = 1500.0, 100.0
"""Between these, whispering lacks the low frequencies that pulses of the glottis have."""
_DB_AN_OCTAVE = 6.0


class WhisperParams(Params):
    """Params of ``whisper``."""

    whisper: Literal["world"]
    """The vocoder."""


@condition("whisper")
class Whisper(Condition):
    """The clip by the vocoder WORLD without pulses: noise alone through the vocal tract.

    Voiced sounds become weaker by 6 dB an octave below 1.5 kHz, and the clip keeps its level. A
    simulation: who whispers also opens the glottis, which moves the lower formants up, and speaks
    more slowly. T. Ito, K. Takeda, F. Itakura, Analysis and recognition of whispered speech, Speech
    Communication 45(2), 2005.
    """

    text = "resynthesis by WORLD without a voice, weaker below 1.5 kHz: simulated whispering"
    params = WhisperParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Synthesizes with F0 0 in every frame."""
        del given, seed
        found = WorldContour.of(audio, rate)
        frequency = np.arange(found.noise.shape[1]) * rate / found.size
        octaves = np.log2(np.clip(frequency, _FLAT_BELOW_HZ, _FLAT_ABOVE_HZ) / _FLAT_ABOVE_HZ)
        tilt = np.where(found.f0[:, None] > 0, 10 ** (octaves * _DB_AN_OCTAVE / 10), 1.0)
        envelope = np.ascontiguousarray(found.envelope() * tilt)
        silent, noise = np.zeros_like(found.f0), np.ones_like(found.noise)
        made = world_library.synthesize(silent, envelope, noise, rate, PERIOD_MS)
        return at_level_of(with_length(made, len(audio)), audio), {}
