"""The test signal of a latency measurement, and how it is found in a recording.

An unchanged signal is found by cross-correlation (Knapp and Carter 1976, without weighting). A
synthesised voice is found by cross-correlation with the reference response, which the same pipeline
makes of the same signal offline, or by cross-correlation of envelopes.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import correlate

_LEVEL = 0.4
_BURST_S = 0.6
_FOUND = 0.35
"""Correlation from which on the signal is found."""
_SILENT = 1e-6
"""Power of a part, relative to the loudest part, below which the part is silent."""
_ENVELOPE_RATE = 1000
_CHANCE = 0.4
"""Highest correlation of the signal's envelope with that of some seconds of noise."""


def probe_signal(rate: int) -> np.ndarray:
    """Bursts of a vowel-like tone at irregular times: float32 ``[N]``, 0.6 s, at ``rate`` Hz.

    Harmonics of 140 Hz with a falling spectrum, which F0 trackers detect as a vowel. The pitch
    glides a little, so that no two periods are equal.
    """
    at = np.arange(round(_BURST_S * rate)) / rate
    phase = 2 * math.pi * (140 * at + 60 * at**2)
    order = np.arange(1, min(25, int(rate / 2 / 230)))
    tone = (np.sin(phase[:, None] * order) / order).sum(1)
    gates = np.zeros_like(at)
    for start, stop in ((0.02, 0.10), (0.16, 0.20), (0.27, 0.41), (0.45, 0.58)):
        edge = np.clip(np.minimum(at - start, stop - at) / 0.004, 0, 1)
        gates += 0.5 - 0.5 * np.cos(math.pi * edge)
    wave = tone * gates
    return (_LEVEL * wave / np.abs(wave).max()).astype(np.float32)


def find_signal(
    signal: np.ndarray, recording: np.ndarray, rate: int, found: float = _FOUND
) -> tuple[float, float]:
    """Finds ``signal`` ``[N]`` in ``recording`` ``[M]``.

    Correlates the waveforms; if the correlation is below ``found``, the envelopes.

    Returns:
        Start of the signal in samples, and confidence 0..1.
    """
    lag, sure = correlate_at(signal, recording)
    if sure >= found or len(recording) < len(signal):
        return float(lag), sure
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
    """Lag in samples of the highest normalised cross-correlation, and that correlation.

    With ``either``, a signal with inverted polarity is found, too.
    """
    if len(recording) < len(signal):
        return 0, 0.0
    product = correlate(recording.astype(np.float64), signal.astype(np.float64), "valid")
    power = np.cumsum(np.concatenate(([0.0], recording.astype(np.float64) ** 2)))
    local = power[len(signal) :] - power[: -len(signal)]
    # In silent parts beside sound, rounding errors would be divided by nearly zero.
    local = np.maximum(local, _SILENT * local.max())
    norm = np.sqrt(local * float(signal.astype(np.float64) @ signal)) + 1e-9
    sure = (np.abs(product) if either else product) / norm
    lag = int(np.argmax(sure))
    return lag, float(sure[lag])
