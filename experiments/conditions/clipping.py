"""Clips a sound, as an overdriven microphone input does."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays


class ClippingParams(Params):
    """Params of ``clipping``."""

    clipping: Annotated[float, Field(gt=0, le=0.5)]
    """Share of the samples that lie at the ceiling."""


@condition("clipping")
class Clipping(Condition):
    """Hard clipping at the level that the share of loudest samples exceeds; nothing is scaled."""

    text = "hard clipping of a share of the samples"
    params = ClippingParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Limits samples to the quantile of their magnitudes."""
        del rate, seed
        assert isinstance(given, ClippingParams)
        ceiling = np.quantile(np.abs(audio), 1 - given.clipping).astype(np.float32)
        return np.clip(audio, -ceiling, ceiling), {}
