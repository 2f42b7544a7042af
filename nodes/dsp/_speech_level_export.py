"""``dsp.speech_level`` as an exported network: one block, with its state as inputs."""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.nodes.dsp.speech_level_block import SpeechLevelBlock
from voicegraph.nodes.dsp.speech_level_network import Memory


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
