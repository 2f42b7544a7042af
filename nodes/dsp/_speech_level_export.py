"""``dsp.speech_level`` as an exported network: one block, with its state as inputs."""

from __future__ import annotations

import copy

import torch
from torch import nn

from voicegraph.nodes.dsp.speech_level_block import SpeechLevelBlock
from voicegraph.nodes.dsp.speech_level_network import FFT, Memory, Spectrum, SpeechLevelNetwork
from voicegraph.nodes.layers.spectrum import RealTransform


class PortableSpeechLevel(nn.Module):
    """One block of one stream.

    Args:
        block: of a portable network.
    """

    def __init__(self, block: SpeechLevelBlock) -> None:
        super().__init__()
        self.block, self.network = block, block.network

    def forward(
        self,
        audio: torch.Tensor,
        hidden: torch.Tensor,
        total: torch.Tensor,
        weight: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Level ``[1, frames, 1]`` in dB and the next state."""
        level, memory = self.block(audio, Memory(hidden, total, weight))
        return level, *memory


def portable_network(plain: SpeechLevelNetwork) -> SpeechLevelNetwork:
    """The same network with spectra in real arithmetic."""
    made = copy.deepcopy(plain)
    made.spectrum = _PortableSpectrum(plain.spectrum)
    return made


class _PortableSpectrum(nn.Module):
    def __init__(self, plain: nn.Module) -> None:
        super().__init__()
        assert isinstance(plain, Spectrum)
        self.transform = RealTransform(FFT, plain.window)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        real, imaginary = self.transform(frames)
        return real.square() + imaginary.square()
