"""Statistics of a voice's F0 and level, from its contours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicegraph.schemas.source_filter_card import Prosody

from .prepared_speech import PreparedSpeech

_SPEECH_DB = -50.0
"""Frames below this level are pauses."""


def measure(speech: PreparedSpeech, numbers: Sequence[int]) -> Prosody:
    """Median and spread of F0, and the 95th percentile of the level of speech."""
    f0, level = map(np.concatenate, zip(*map(speech.read_contours, numbers), strict=True))
    octaves = np.log2(f0[f0 > 0])
    return Prosody(
        median_hz=round(float(2 ** np.median(octaves)), 2),
        spread=round(float(12 * octaves.std()), 3),
        loud_db=round(float(np.percentile(level[level > _SPEECH_DB], 95)), 2),
    )
