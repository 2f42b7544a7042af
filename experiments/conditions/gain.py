"""Changes the level of a clip."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays


class GainParams(Params):
    """Params of ``gain``."""

    gain: Annotated[float, Field(ge=-80, le=40)]
    """In dB."""


@condition("gain")
class Gain(Condition):
    """Multiplies samples; they may exceed full scale, which float samples keep."""

    text = "another level; samples may exceed full scale"
    params = GainParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Multiplies by ``10 ** (gain / 20)``."""
        del rate, seed
        assert isinstance(given, GainParams)
        return audio * np.float32(10 ** (given.gain / 20)), {}
