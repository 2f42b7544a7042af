"""RMVPE as an exported network: audio of any length to F0, with the names of w-okada's file."""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._rmvpe_network import RmvpeNetwork
from voicegraph.nodes.f0.mel import LogMel


class PortableRmvpe(nn.Module):
    """Mel spectrum in real arithmetic, network, and what reads F0 off its salience.

    Args:
        network: plain, in any dtype.
        mel: its spectra.
        cents: centres of the bins in cents above 10 Hz.
        searched: the bins of the search range, bool ``[bins]``.
    """

    def __init__(
        self, network: RmvpeNetwork, mel: LogMel, cents: torch.Tensor, searched: torch.Tensor
    ) -> None:
        super().__init__()
        self.network, self.mel = network, mel.portable()
        self.cents, self.searched = cents, searched

    def forward(
        self, waveform: torch.Tensor, threshold: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``[1, samples]`` at 16 kHz and ``[1]`` -> F0 ``[1, frames]``, salience ``[.., bins]``."""
        mel = self.mel(waveform)
        frames, step = mel.shape[-1], 2**self.network.sizes.layers
        # Written so that an exporter sees that all sizes in the U-Net are whole.
        whole = (frames + step - 1) // step * step
        padded = nn.functional.pad(mel, (0, whole - frames)).to(self.network.cnn.weight.dtype)
        salience = self.network(padded)[:, :frames].float()
        pitch = salience_bins.decode_float32(salience * self.searched, self.cents, threshold)
        return pitch, salience
