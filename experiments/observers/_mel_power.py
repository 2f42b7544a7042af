"""Mel power spectra as librosa and PyTorch compute them."""

from __future__ import annotations

import numpy as np

from voicegraph.nodes.layers.mel_filters import mel_filters

RATE = 16000
Padding = str
"""``constant`` or ``reflect``, as for ``numpy.pad``."""


def mel_power(
    audio: np.ndarray, size: int, hop: int, mels: int, padding: Padding = "constant"
) -> np.ndarray:
    """Power spectra with a periodic Hann window, weighted by Slaney's mel filters up to 8 kHz.

    Args:
        audio: ``[samples]`` at 16 kHz.
        size: of window and transform.
        hop: samples from frame to frame; frame k is centred at sample k * hop.
        mels: number of filters.
        padding: what stands beyond the ends.

    Returns:
        float64 ``[1 + samples // hop, mels]``.
    """
    half = size // 2
    padded = np.pad(audio.astype(np.float64), half, padding)  # pyright: ignore[reportArgumentType, reportCallIssue]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectra = np.fft.rfft(frames * window, axis=1)
    power = spectra.real**2 + spectra.imag**2
    return power @ mel_filters(mels, 0, RATE / 2, htk=False, fft=size).T.astype(np.float64)
