"""The WORLD library through pyworld, typed.

WORLD: M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis
system for real-time applications", IEICE Trans. Inf. & Syst. E99-D(7), 2016. All functions
take and return contiguous float64 arrays and have no state. The library crashes on NaN.
"""

from __future__ import annotations

import importlib
import math
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np


@cache
def _pyworld() -> Any:
    """The module, imported at its first use; it has no type stubs."""
    return importlib.import_module("pyworld")


def harvest(
    audio: np.ndarray, rate: int, floor: float, ceiling: float, period_ms: float
) -> np.ndarray:
    """F0 in Hz by Harvest, 0 where unvoiced: ``[n // hop + 1]`` frames, the first at sample 0.

    M. Morise, "Harvest: a high-performance fundamental frequency estimator from speech signals",
    Interspeech 2017.
    """
    return _pyworld().harvest(audio, rate, f0_floor=floor, f0_ceil=ceiling, frame_period=period_ms)[
        0
    ]


def dio(
    audio: np.ndarray,
    rate: int,
    floor: float,
    ceiling: float,
    period_ms: float,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz by DIO, 0 where unvoiced, and the times of the frames in seconds.

    M. Morise, H. Kawahara, H. Katayose, "Fast and reliable F0 estimation method based on the period
    extraction of vocal fold vibration of singing voice and speech", AES 35th Int. Conf., 2009.
    """
    return _pyworld().dio(
        audio,
        rate,
        f0_floor=floor,
        f0_ceil=ceiling,
        frame_period=period_ms,
        allowed_range=tolerance,
    )


def refine(audio: np.ndarray, f0: np.ndarray, times: np.ndarray, rate: int) -> np.ndarray:
    """F0 refined by instantaneous frequency (StoneMask, part of WORLD)."""
    return _pyworld().stonemask(audio, f0, times, rate)


def fft_size(rate: Fraction | int, floor: float) -> int:
    """The FFT size that holds three periods of ``floor`` Hz: the next power of two above."""
    return 2 ** (1 + math.floor(math.log2(3.0 * float(rate) / floor + 1.0)))


def lowest_f0(rate: int, size: int) -> float:
    """Lowest F0 in Hz for CheapTrick: an FFT of this size holds three periods of it."""
    return 3.0 * rate / (size - 3.0)


def envelope(
    audio: np.ndarray, f0: np.ndarray, times: np.ndarray, rate: int, size: int
) -> np.ndarray:
    """Power spectral envelope ``[frames, size / 2 + 1]`` by CheapTrick.

    M. Morise, "CheapTrick, a spectral envelope estimator for high-quality speech synthesis",
    Speech Communication 67, 2015. F0 not above ``lowest_f0`` counts as unvoiced.
    """
    return _pyworld().cheaptrick(audio, f0, times, rate, fft_size=size)


def aperiodicity(
    audio: np.ndarray, f0: np.ndarray, times: np.ndarray, rate: int, size: int
) -> np.ndarray:
    """Share of noise in the amplitude ``[frames, size / 2 + 1]``, 0..1, by D4C.

    M. Morise, "D4C, a band-aperiodicity estimator for high-quality speech synthesis", Speech
    Communication 84, 2016.
    """
    return _pyworld().d4c(audio, f0, times, rate, fft_size=size)


def synthesize(
    f0: np.ndarray, envelope: np.ndarray, aperiodicity: np.ndarray, rate: int, period_ms: float
) -> np.ndarray:
    """Audio ``[frames * hop]`` from F0 in Hz, power envelope and aperiodicity."""
    return _pyworld().synthesize(f0, envelope, aperiodicity, rate, period_ms)
