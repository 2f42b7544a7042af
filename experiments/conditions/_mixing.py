"""Adds one sound to another at an exact signal-to-noise ratio."""

from __future__ import annotations

import numpy as np

SILENT = 1e-10
"""Power below which a sound counts as silent: -100 dB of full scale."""


def add_at_snr(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Speech with noise whose power lies ``snr_db`` below the clip's, pauses included.

    Args:
        audio: ``[samples]``.
        noise: ``[samples]``, of any level.
        snr_db: signal-to-noise ratio in dB, exact over the clip.

    Returns:
        float32 ``[samples]``. A silent clip stays as it is, since no ratio to it exists.

    Raises:
        ValueError: if the noise is silent.
    """
    speech = audio.astype(np.float64)
    power, noise_power = np.mean(speech**2), np.mean(noise.astype(np.float64) ** 2)
    if power < SILENT:
        return audio.astype(np.float32)
    if noise_power <= 0:
        raise ValueError("the noise is silent")
    wanted = power * 10 ** (-snr_db / 10)
    return (speech + noise * np.sqrt(wanted / noise_power)).astype(np.float32)
