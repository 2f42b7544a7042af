"""A source-filter voice as an exported network: one block, with its noise and state as inputs."""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.graph import ExportedTensor, PortSpec
from voicegraph.nodes.layers.exported_stream import copied, drawn, fixed, sung
from voicegraph.nodes.synth._source_filter_block import SourceFilterBlock, SourceFilterState

STATE = ("phase", "position", "history", "tail")
"""The state of a stream, without its number, which only the noise depends on."""


class PortableSourceFilter(nn.Module):
    """One block of one stream.

    Args:
        block: the portable form.
        formant: shift in semitones.
        breath: gain of the noise in dB.
    """

    def __init__(self, block: SourceFilterBlock, formant: float, breath: float) -> None:
        super().__init__()
        self.block, self.formant, self.breath = block, formant, breath
        self.network, self.filter = block.network, block.filter

    def forward(
        self,
        content: torch.Tensor,
        pitch: torch.Tensor,
        level: torch.Tensor,
        noise: torch.Tensor,
        phase: torch.Tensor,
        position: torch.Tensor,
        history: torch.Tensor,
        tail: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Audio ``[1, 1, samples]`` and the next state."""
        inputs = {"content": content, "pitch": pitch, "level": level}
        given = dict(zip(STATE, (phase, position, history, tail), strict=True))
        state = copied(SourceFilterState, {**given, "stream": torch.zeros_like(position)})
        audio = self.block(inputs, noise, self.formant, self.breath, state)
        return audio[:, None], state.phase, state.position, state.history, state.tail


def inputs_of(given: dict[str, PortSpec], samples: int) -> dict[str, ExportedTensor]:
    """The inputs of the network, in order."""
    return {
        "content": fixed(given["content"], "content features"),
        "pitch": fixed(given["pitch"], "F0 in Hz, 0 where unvoiced"),
        "level": fixed(given["level"], "level in dB of full scale"),
        "noise": ExportedTensor(
            (1, samples), description="standard normal numbers, of the block and one frame more"
        ),
    }


def example(given: dict[str, PortSpec], samples: int, case: int) -> dict[str, torch.Tensor]:
    """Inputs of a block."""
    content, level = given["content"], given["level"]
    return {
        "content": drawn("content", case, *content.type.shape(1, content.count)),
        "pitch": sung(given["pitch"], case),
        "level": drawn("level", case, *level.type.shape(1, level.count)) * 6 - 30,
        "noise": drawn("noise", case, 1, samples),
    }
