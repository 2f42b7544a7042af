"""Where a voice lies: pitch and level, from its contours."""

from __future__ import annotations

import numpy as np

from voicegraph.schemas.source_filter_card import Prosody

from .workdir import Workplace

_SPEECH_DB = -50.0
"""Quieter frames are pauses."""


def measured(place: Workplace, numbers: list[int]) -> Prosody:
    """Median and spread of F0, and the 95th percentile of the level of what is no pause."""
    held = [np.load(place.contours(number)) for number in numbers]
    f0 = np.concatenate([found["f0"] for found in held])
    level = np.concatenate([found["level"] for found in held])
    octaves = np.log2(f0[f0 > 0])
    return Prosody(
        median_hz=round(float(2 ** np.median(octaves)), 2),
        spread=round(float(12 * octaves.std()), 3),
        loud_db=round(float(np.percentile(level[level > _SPEECH_DB], 95)), 2),
    )
