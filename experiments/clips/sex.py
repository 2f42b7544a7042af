"""Guesses the sex of a speaker from the median F0, to balance a draw where no table says it."""

from __future__ import annotations

import numpy as np

MALE_BELOW_HZ, FEMALE_ABOVE_HZ = 150.0, 170.0
"""Medians between these are not assigned. Read speech: about 120 Hz and 200 Hz (Baken and Orlikoff,
Clinical Measurement of Speech and Voice, 2000)."""
_LEAST_FRAMES = 50
"""Voiced frames of 10 ms; fewer say nothing."""


def guess_sex(audio: np.ndarray, rate: int) -> tuple[str | None, float]:
    """``F``, ``M`` or None, and the median F0 in Hz.

    Args:
        audio: float32 ``[samples]``.
        rate: in Hz.
    """
    import soxr

    from voicegraph.graph.metrics.f0_contour import RATE, contour

    given = audio if rate == RATE else soxr.resample(audio, rate, RATE)
    f0 = contour(given.astype(np.float32), "f0.swift")
    voiced = f0[f0 > 0]
    if len(voiced) < _LEAST_FRAMES:
        return None, 0.0
    median = float(np.median(voiced))
    if median < MALE_BELOW_HZ:
        return "M", median
    return ("F" if median > FEMALE_ABOVE_HZ else None), median
