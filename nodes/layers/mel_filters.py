"""Triangular filters on the mel scale."""

from __future__ import annotations

import math

import numpy as np

_SLANEY_KNEE_HZ = 1000.0
_SLANEY_HZ_A_MEL = 200 / 3
_SLANEY_LOG_STEP = math.log(6.4) / 27


def mel_filters(
    count: int, low: float, high: float, *, htk: bool, fft: int, rate: int = 16000
) -> np.ndarray:
    """Triangular filters on the mel scale, each of equal area: ``[count, fft // 2 + 1]`` float32.

    Args:
        count: number of filters; their corners are equally spaced in mel.
        low: lower end of the first, in Hz.
        high: upper end of the last, in Hz.
        htk: the mel scale of the HTK toolkit, 2595 log10(1 + f / 700), else that of M. Slaney,
            "Auditory Toolbox", Technical Report 1998-010: linear below 1 kHz, logarithmic above.
        fft: size of the transform.
        rate: sample rate in Hz.
    """
    to_mel, to_hertz = (_htk, _htk_back) if htk else (_slaney, _slaney_back)
    ends = to_mel(np.array([low, high]))
    corners = to_hertz(np.linspace(ends[0], ends[1], count + 2))
    bins = np.arange(fft // 2 + 1) * rate / fft
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    heights = 2 / (corners[2:] - corners[:-2])
    return (np.clip(np.minimum(rising, falling), 0, None) * heights[:, None]).astype(np.float32)


def _htk(hertz: np.ndarray) -> np.ndarray:
    return 2595 * np.log10(1 + hertz / 700)


def _htk_back(mel: np.ndarray) -> np.ndarray:
    return 700 * (10 ** (mel / 2595) - 1)


def _slaney(hertz: np.ndarray) -> np.ndarray:
    above = np.log(np.maximum(hertz, 1) / _SLANEY_KNEE_HZ) / _SLANEY_LOG_STEP
    knee = _SLANEY_KNEE_HZ / _SLANEY_HZ_A_MEL
    return np.where(hertz < _SLANEY_KNEE_HZ, hertz / _SLANEY_HZ_A_MEL, knee + above)


def _slaney_back(mel: np.ndarray) -> np.ndarray:
    knee = _SLANEY_KNEE_HZ / _SLANEY_HZ_A_MEL
    above = _SLANEY_KNEE_HZ * np.exp(_SLANEY_LOG_STEP * (mel - knee))
    return np.where(mel < knee, mel * _SLANEY_HZ_A_MEL, above)
