"""Guesses the sex of a speaker from the median F0, to balance a draw where no table says it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from voicegraph.nodes.f0.swift_network import SwiftDetector

MALE_BELOW_HZ, FEMALE_ABOVE_HZ = 150.0, 170.0
"""Medians between these are not assigned. Read speech: about 120 Hz and 200 Hz (Baken and Orlikoff,
Clinical Measurement of Speech and Voice, 2000)."""
RATE = 16000
"""Sample rate of SwiftF0, in Hz."""
_CONFIDENCE = 0.5
_LEAST_FRAMES = 30
"""Voiced frames of 16 ms; fewer say nothing."""


def guess_sex(audio: np.ndarray, rate: int) -> tuple[str | None, float]:
    """``F``, ``M`` or None, and the median F0 in Hz.

    Args:
        audio: float32 ``[samples]``.
        rate: in Hz.
    """
    import soxr
    import torch

    given = audio if rate == RATE else soxr.resample(audio, rate, RATE)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network only waits for others
    try:
        f0, confidence = _detector().whole(torch.from_numpy(given.astype(np.float32)))
    finally:
        torch.set_num_threads(threads)
    voiced = f0[confidence > _CONFIDENCE].numpy()
    if len(voiced) < _LEAST_FRAMES:
        return None, 0.0
    median = float(np.median(voiced))
    if median < MALE_BELOW_HZ:
        return "M", median
    return ("F" if median > FEMALE_ABOVE_HZ else None), median


@functools.cache
def _detector() -> SwiftDetector:
    from voicegraph.nodes.f0.swift_network import SwiftDetector, load_swift

    return SwiftDetector(load_swift(), 60.0, 550.0)
