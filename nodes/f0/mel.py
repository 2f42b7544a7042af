"""Log-mel spectra for the pitch networks: 16 kHz, hop 10 ms, window 64 ms."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import nn

from voicegraph.nodes.f0.estimator import HOP, RATE
from voicegraph.nodes.layers.spectrum import PortablePowerSpectrum, PowerSpectrum

FFT = 1024
"""Samples in a frame, and FFT size."""
_SMALLEST = 1e-5
_SLANEY_KNEE_HZ = 1000.0
_SLANEY_HZ_A_MEL = 200 / 3
_SLANEY_LOG_STEP = math.log(6.4) / 27


class LogMel(nn.Module):
    """Log-mel magnitudes: audio ``[streams, samples]`` -> ``[streams, mels, frames]``, float32.

    The natural logarithm of mel-weighted magnitudes (not powers), no lower than ln(1e-5), over a
    periodic Hann window. Always in float32, whatever the precision of the network.

    Attributes:
        pad: samples of reflected audio on either side; frame ``k`` begins ``pad`` samples before
            sample ``160 k``.
        floor: added to the power, so that its square root is smooth at 0.
    """

    filters: torch.Tensor

    def __init__(self, filters: np.ndarray, pad: int, floor: float = 0.0) -> None:
        super().__init__()
        self.pad, self.floor = pad, floor
        self.register_buffer("filters", torch.from_numpy(filters), persistent=False)
        self.spectrum: nn.Module = PowerSpectrum(FFT)

    def portable(self) -> LogMel:
        """The same in real arithmetic, for exported networks."""
        made = copy.deepcopy(self)
        made.spectrum = PortablePowerSpectrum(PowerSpectrum(FFT))
        return made

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """All complete frames."""
        padded = nn.functional.pad(audio.float()[:, None], (self.pad, self.pad), "reflect")[:, 0]
        cut = padded.unfold(1, FFT, HOP)
        mel = self.filters @ (self.spectrum(cut) + self.floor).sqrt().transpose(1, 2)
        return mel.clamp(min=_SMALLEST).log()


def filters(count: int, low: float, high: float, *, htk: bool, fft: int = FFT) -> np.ndarray:
    """Triangular filters on the mel scale, each of equal area: ``[count, fft // 2 + 1]`` float32.

    Args:
        count: number of filters; their corners are equally spaced in mel.
        low: lower end of the first, in Hz.
        high: upper end of the last, in Hz.
        htk: the mel scale of the HTK toolkit, 2595 log10(1 + f / 700), else that of M. Slaney,
            "Auditory Toolbox", Technical Report 1998-010: linear below 1 kHz, logarithmic above.
        fft: size of the transform.
    """
    to_mel, to_hertz = (_htk, _htk_back) if htk else (_slaney, _slaney_back)
    ends = to_mel(np.array([low, high]))
    corners = to_hertz(np.linspace(ends[0], ends[1], count + 2))
    bins = np.arange(fft // 2 + 1) * RATE / fft
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
