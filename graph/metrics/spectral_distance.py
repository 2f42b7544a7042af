"""Power spectrograms, and the log-spectral distance of two sounds.

Gray and Markel, "Distance measures for speech processing", IEEE Trans. ASSP 24 (1976).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

WINDOW_S, HOP_S = 0.032, 0.008
"""32 ms resolve the harmonics of a low voice."""
RANGE_DB = 80.0
"""Levels further below the loudest sample count as equal: nobody hears them."""
_CHUNK = 512
"""Frames that are transformed at a time: a long sound needs no more memory than a short one."""


def power_spectrogram(samples: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Power with a Hann window: ``[N]`` -> float64 ``[1 + window // 2, 1 + N // hop]``.

    Frame ``k`` is centred at sample ``k * hop``; outside the sound there is silence. A sine of
    amplitude ``x`` has the power ``(x * window / 4) ** 2`` in its bin.
    """
    return np.concatenate(list(_chunks(samples, window, hop)), axis=1)


def log_spectral_distance(reference: np.ndarray, other: np.ndarray, rate: float) -> np.ndarray:
    """Log-spectral distance, frame by frame every 8 ms.

    ``sqrt(mean_k (L_a[k] - L_b[k]) ** 2)`` over the bins ``k`` of a window of 32 ms, with ``L`` the
    power in dB, at least 80 dB below a sine with the amplitude of the loudest sample of either
    sound. It is symmetric, ignores phases, and is ``abs(g)`` for a gain of ``g`` dB above that
    floor.

    Args:
        reference: ``[N]``.
        other: ``[N]``, time-aligned.
        rate: in Hz.

    Returns:
        dB ``[1 + N // hop]``; 0 where both are silent.
    """
    window, hop = max(2, round(WINDOW_S * rate)), max(1, round(HOP_S * rate))
    loudest = max(float(np.abs(x).max(initial=0.0)) for x in (reference, other))
    if not loudest:
        return np.zeros(1 + len(reference) // hop)
    floor = (loudest * window / 4) ** 2 * 10 ** (-RANGE_DB / 10)
    pairs = zip(_chunks(reference, window, hop), _chunks(other, window, hop), strict=True)
    found = []
    for a, b in pairs:
        levels = 10 * np.log10(np.maximum(a, floor) / np.maximum(b, floor))
        found.append(np.sqrt(np.square(levels).mean(axis=0)))
    return np.concatenate(found)


def _chunks(samples: np.ndarray, window: int, hop: int) -> Iterator[np.ndarray]:
    """Power ``[bins, at most _CHUNK frames]``."""
    padded = np.pad(samples.astype(np.float64), (window // 2, window - window // 2))
    count = 1 + len(samples) // hop
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count]
    shape = np.hanning(window)
    for start in range(0, count, _CHUNK):
        spectrum = np.fft.rfft(frames[start : start + _CHUNK] * shape, axis=1)
        yield np.square(np.abs(spectrum.T))
