"""Adds babble: several voices that speak at once."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import SILENT, add_at_snr
from ._sound_files import SoundFiles, random_stretch

_TRIES = 20


class BabbleParams(Params):
    """Params of ``babble``."""

    babble: SoundFiles
    """Recordings of single voices."""
    snr: Annotated[float, Field(ge=-30, le=80)]
    """Signal-to-noise ratio in dB, over the whole clip."""
    voices: Annotated[int, Field(ge=1, le=100)] = 6
    """How many speak at once, each equally loud."""


@condition("babble")
class Babble(Condition):
    """The sum of random stretches of recordings, each of the same power."""

    text = "several voices of recordings at once, at an exact SNR"
    params = BabbleParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Adds the babble; raises ValueError if the recordings are silent."""
        assert isinstance(given, BabbleParams)
        random = np.random.Generator(np.random.Philox(key=seed))
        total = np.zeros(len(audio))
        for _ in range(given.voices):
            total += _voice(given.babble, len(audio), rate, random)
        return add_at_snr(audio, total, given.snr), {}


def _voice(babble: SoundFiles, samples: int, rate: int, random: np.random.Generator) -> np.ndarray:
    """A stretch of power 1 in which somebody speaks."""
    for _ in range(_TRIES):
        stretch = random_stretch(babble.files, samples, rate, random).astype(np.float64)
        power = np.mean(stretch**2)
        if power > SILENT:
            return stretch / np.sqrt(power)
    raise ValueError("the recordings of babble are silent")
