"""Time alignment by cross-correlation (Knapp and Carter 1976, without weighting)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import correlate

FOUND = 0.35
"""Correlation from which on a signal is found."""
_SILENT = 1e-6
"""Power of a part, relative to the loudest part, below which the part is silent."""
_ENVELOPE_RATE = 1000
_CHANCE = 0.4
"""Highest correlation of the signal's envelope with that of some seconds of noise."""


def find_signal(
    signal: np.ndarray, recording: np.ndarray, rate: int, found: float = FOUND
) -> tuple[float, float]:
    """Finds ``signal`` ``[N]`` in ``recording`` ``[M]``.

    Correlates the waveforms; if the correlation is below ``found``, the envelopes.

    Returns:
        Start of the signal in samples, and confidence 0..1.
    """
    lag, sure = correlate_at(signal, recording)
    if abs(sure) >= found or len(recording) < len(signal):
        return float(lag), abs(sure)
    step = max(1, rate // _ENVELOPE_RATE)
    lag, sure = correlate_at(_envelope(signal, step), _envelope(recording, step), either=False)
    return float(lag * step), max(0.0, (sure - _CHANCE) / (1 - _CHANCE))


def _envelope(samples: np.ndarray, step: int) -> np.ndarray:
    count = len(samples) // step * step
    level = np.sqrt((samples[:count].reshape(-1, step).astype(np.float64) ** 2).mean(1))
    smooth = np.convolve(level, np.hanning(15) / np.hanning(15).sum(), "same")
    return smooth - smooth.mean()


def correlate_at(
    signal: np.ndarray, recording: np.ndarray, either: bool = True
) -> tuple[int, float]:
    """Lag in samples of the highest normalised cross-correlation, and that correlation, -1..1.

    With ``either``, a signal with inverted polarity is found, too: its correlation is negative.
    """
    if len(recording) < len(signal):
        return 0, 0.0
    sure = _correlations(signal[:, None], recording[:, None])
    lag = int(np.argmax(np.abs(sure) if either else sure))
    return lag, float(sure[lag])


def _correlations(signal: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """Normalised cross-correlation of ``[N, W]`` with ``[M, W]`` at the lags ``0..M-N``."""
    signal, recording = signal.astype(np.float64), recording.astype(np.float64)
    lags = 1 + len(recording) - len(signal)
    product = np.zeros(lags)
    for one, two in zip(signal.T, recording.T, strict=True):
        product += correlate(two, one, "valid")
    power = np.cumsum(np.concatenate(([0.0], np.square(recording).sum(1))))
    local = power[len(signal) :] - power[:lags]
    # In silent parts beside sound, rounding errors would be divided by nearly zero.
    local = np.maximum(local, _SILENT * local.max())
    return product / (np.sqrt(local * np.square(signal).sum()) + 1e-9)


@dataclass(frozen=True, slots=True)
class Offset:
    """How far one signal lies behind another.

    Attributes:
        values: samples or frames by which ``other`` is later than ``reference``.
        correlation: the normalised correlation at that offset, -1..1.
        at_zero: the same without an offset.
    """

    values: int
    correlation: float
    at_zero: float


def find_offset(reference: np.ndarray, other: np.ndarray, most: int) -> Offset:
    """The offset, at most ``most`` either way, at which two signals correlate best.

    The mean over time does not count. A signal with inverted polarity is found, too. Of offsets
    that are equally good the smallest is taken.

    Args:
        reference: ``[T, W]``: channels, or dimensions of features.
        other: ``[T, W]``, time-aligned up to the offset.
        most: in samples or frames; less is searched in signals shorter than four times that.

    Returns:
        Offset and correlations; all 0 if a signal is constant.
    """
    most = max(0, min(most, len(reference) // 4))
    one, two = (x.astype(np.float64) - x.mean(axis=0) for x in (reference, other))
    middle = one[most : len(one) - most]
    if not middle.any() or not two.any():
        return Offset(0, 0.0, 0.0)
    found = _correlations(middle, two)
    lags = np.arange(-most, most + 1)
    best = np.abs(found).max()
    equal = np.abs(found) >= best - 1e-9  # rounding of the FFT
    lag = int(min(lags[equal], key=abs))
    found = np.clip(found, -1, 1)
    return Offset(lag, float(found[lag + most]), float(found[most]))
