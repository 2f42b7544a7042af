"""``f0.praat``: Praat's autocorrelation, as phoneticians know it; the extra ``praat``."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import register
from voicegraph.nodes.f0._estimator import FRAMES_HZ, HOP, RATE, F0Estimator, F0Params
from voicegraph.nodes.f0._estimator_packages import Package
from voicegraph.nodes.f0.frame_grid import resample_to_grid

PACKAGE = Package("f0.praat", "praat", "praat-parselmouth", "parselmouth")
_PERIODS = 3
"""Periods of the floor in a window of Praat's."""


class PraatParams(F0Params):
    """Params of ``f0.praat``."""

    threshold: float = Field(0.6, ge=0, le=1)
    """Strength of the autocorrelation that a voiced frame must reach."""
    fill: bool = True
    """Fill unvoiced stretches by linear interpolation; `voiced` still tells them apart."""


@register("f0.praat")
class Praat(F0Estimator[PraatParams]):
    """F0 by Praat's autocorrelation method.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. As in the reference, unvoiced stretches of ``pitch`` are filled by default. Half a
    window of zeros stands on either side of the span, so that frames reach to its ends. What is
    silent is judged by the loudest of the span: ``context`` makes that steadier.

    The extra ``praat`` installs the package praat-parselmouth, which is under the GPL-3.0-or-later:
    so is what you build from both and hand on.

    P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993.
    """

    package = PACKAGE
    examples = ({}, {"fill": False, "floor": 75.0, "ceiling": 600.0, "context": "100ms"})

    def shortest_span(self, params: PraatParams) -> Fraction:
        """A window."""
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
        # To Praat, a sample lies in the middle of the time that it stands for.
        times = found.xs() - (half + 0.5) / RATE
        return resample_to_grid(times, found.selected_array["frequency"], len(audio) // HOP + 1)
