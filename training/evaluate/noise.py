"""Adds pink noise to clean speech at a given signal-to-noise ratio."""

from __future__ import annotations

import zlib

import numpy as np

from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

_FLAT_BELOW_HZ = 50.0


def noisy(audio: np.ndarray, snr_db: float, name: str) -> np.ndarray:
    """Speech with pink noise whose power lies ``snr_db`` below the clip's, pauses included.

    Args:
        audio: float64 ``[samples]`` at 16 kHz.
        snr_db: signal-to-noise ratio in dB, exact over the clip.
        name: of the clip; the seed of the noise.

    Returns:
        float64 ``[samples]``.
    """
    noise = pink(len(audio), zlib.crc32(name.encode()))
    wanted = np.mean(audio**2) * 10 ** (-snr_db / 10)
    return audio + noise * np.sqrt(wanted / np.mean(noise**2))


def pink(samples: int, seed: int) -> np.ndarray:
    """Gaussian noise whose power falls by 3 dB an octave above 50 Hz: ``[samples]``."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / ENCODER_RATE)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, _FLAT_BELOW_HZ)), samples)
