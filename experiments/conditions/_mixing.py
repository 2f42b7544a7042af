"""Levels and lengths of sounds: noise at an exact signal-to-noise ratio, and what stays equal."""

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


def at_level_of(made: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """A sound scaled to the power of another; both ``[samples]``; silence stays as it is."""
    power, wanted = (np.mean(x.astype(np.float64) ** 2) for x in (made, audio))
    if power <= 0 or wanted < SILENT:
        return made.astype(np.float32)
    return (made * np.sqrt(wanted / power)).astype(np.float32)


def with_length(made: np.ndarray, samples: int) -> np.ndarray:
    """The beginning of a sound, or the sound and silence: ``[samples]``."""
    return np.pad(made[:samples], (0, max(0, samples - len(made))))
