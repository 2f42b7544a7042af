"""``f0.praat``: F0 by Praat's autocorrelation method; needs the extra ``praat``."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import register
from voicegraph.nodes.f0._estimator_packages import Package
from voicegraph.nodes.f0.estimator import FRAMES_HZ, HOP, RATE, F0Estimator, F0Params
from voicegraph.nodes.f0.frame_grid import resample_to_grid

PACKAGE = Package("f0.praat", "praat", "praat-parselmouth", "parselmouth")
_PERIODS = 3
"""Length of Praat's window in periods of the lowest F0."""


class PraatParams(F0Params):
    """Params of ``f0.praat``."""

    threshold: float = Field(0.6, ge=0, le=1)
    """Minimum strength of the autocorrelation in a voiced frame."""
    fill: bool = True
    """Fill unvoiced stretches by linear interpolation; `voiced` stays 0 there."""


@register("f0.praat")
class Praat(F0Estimator[PraatParams]):
    """F0 by Praat's autocorrelation method.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. As in RVC, unvoiced stretches of ``pitch`` are filled by default. The span is padded
    with half a window of zeros on either side, so that frames reach its ends. Praat compares
    silence with the loudest sound of the span; ``context`` makes this more stable.

    The extra ``praat`` installs the package praat-parselmouth, whose licence is GPL-3.0-or-later.
    It applies to whatever you distribute that contains both.

    P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993.
    """

    package = PACKAGE
    examples = ({}, {"fill": False, "floor": 75.0, "ceiling": 600.0, "context": "100ms"})

    def shortest_span(self, params: PraatParams) -> Fraction:
        """One window."""
        return _PERIODS / Fraction(params.floor)

    def load(self, params: PraatParams, device: torch.device, dtype: torch.dtype) -> None:
        """Imports the package.

        Raises:
            PipelineError: if it cannot be imported.
        """
        self.sound: Any = PACKAGE.load().Sound

    def estimate(self, params: PraatParams, audio: np.ndarray) -> np.ndarray:
        """F0 of one stream in Hz."""
        half = math.ceil(_PERIODS / 2 / params.floor * RATE)
        found = self.sound(np.pad(audio, (half, half + 1)), RATE).to_pitch_ac(
            time_step=1 / FRAMES_HZ,
            pitch_floor=params.floor,
            pitch_ceiling=params.ceiling,
            voicing_threshold=params.threshold,
        )
        # In Praat the time of a sample is the centre of its sampling interval.
        times = found.xs() - (half + 0.5) / RATE
        return resample_to_grid(times, found.selected_array["frequency"], len(audio) // HOP + 1)
