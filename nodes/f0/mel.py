"""Log-mel spectra for the pitch networks: 16 kHz, hop 10 ms, window 64 ms."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from voicegraph.nodes.f0.estimator import HOP
from voicegraph.nodes.layers.spectrum import PortablePowerSpectrum, PowerSpectrum

FFT = 1024
"""Samples in a frame, and FFT size."""
_SMALLEST = 1e-5


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
