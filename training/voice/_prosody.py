"""Statistics of a voice's F0 and level, from its contours."""

from __future__ import annotations

import numpy as np

from voicegraph.schemas.source_filter_card import Prosody

from .workdir import Workdir

_SPEECH_DB = -50.0
"""Frames below this level are pauses."""


def measure(workdir: Workdir, numbers: list[int]) -> Prosody:
    """Median and spread of F0, and the 95th percentile of the level of speech."""
    held = [np.load(workdir.contours(number)) for number in numbers]
    f0 = np.concatenate([found["f0"] for found in held])
    level = np.concatenate([found["level"] for found in held])
    octaves = np.log2(f0[f0 > 0])
    return Prosody(
        median_hz=round(float(2 ** np.median(octaves)), 2),
        spread=round(float(12 * octaves.std()), 3),
        loud_db=round(float(np.percentile(level[level > _SPEECH_DB], 95)), 2),
    )
