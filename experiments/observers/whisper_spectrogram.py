"""The log-mel spectrogram that Whisper takes."""

from __future__ import annotations

import numpy as np

from ._mel_power import mel_power

RATE, HOP, MELS = 16000, 160, 80
FRAMES = 3000
"""Frames that the network was trained on: 30 s."""
_WINDOW = 400
_SMALLEST, _RANGE = 1e-10, 8.0
"""Lowest mel power, and how far below the loudest a spectrogram reaches, in powers of ten."""


def log_mel(audio: np.ndarray, frames: int = FRAMES) -> np.ndarray:
    """Spectrogram of a sound and of the silence behind it.

    Args:
        audio: float32 ``[samples]`` at 16 kHz, at most ``160 * frames`` samples.
        frames: how many.

    Returns:
        float32 ``[80, frames]``; frame ``k`` is centred at sample ``160 k``.
    """
    padded = np.pad(audio, (0, HOP * frames - len(audio)))
    power = mel_power(padded, _WINDOW, HOP, MELS, "reflect")[:frames].T
    level = np.log10(np.maximum(power, _SMALLEST))
    return np.ascontiguousarray((np.maximum(level, level.max() - _RANGE) + 4) / 4, np.float32)
