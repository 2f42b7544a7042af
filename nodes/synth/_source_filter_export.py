"""A source-filter voice as an exported network: one block, with its noise and state as inputs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from voicegraph.graph import ExportedTensor, PortSpec
from voicegraph.nodes.layers.exported_stream import copied, drawn, fixed, sung
from voicegraph.nodes.synth._source_filter_block import SourceFilterBlock, SourceFilterState

STATE = ("phase", "position", "history", "tail")
"""The state of a stream, without its number, which only the noise depends on."""
_LIVE = {
    "formant": "formant shift in semitones, -12..12",
    "breath": "gain of the noise in dB",
}
_FORMANTS, _BREATHS = (0.0, 3.5, -5.0, 0.0), (0.0, -6.0, 4.0)
"""Of the examples."""


class PortableSourceFilter(nn.Module):
    """One block of one stream.

    Args:
        block: the portable form.
    """

    def __init__(self, block: SourceFilterBlock) -> None:
        super().__init__()
        self.block = block
        self.network, self.filter = block.network, block.filter

    def forward(
        self,
        content: torch.Tensor,
        pitch: torch.Tensor,
        level: torch.Tensor,
        noise: torch.Tensor,
        formant: torch.Tensor,
        breath: torch.Tensor,
        phase: torch.Tensor,
        position: torch.Tensor,
        history: torch.Tensor,
        tail: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Audio ``[1, 1, samples]`` and the next state."""
        inputs = {"content": content, "pitch": pitch, "level": level}
        given = dict(zip(STATE, (phase, position, history, tail), strict=True))
        state = copied(SourceFilterState, {**given, "stream": torch.zeros_like(position)})
        audio = self.block(inputs, noise, formant.double(), breath, state)
        return audio[:, None], state.phase, state.position, state.history, state.tail


def inputs_of(
    given: dict[str, PortSpec], samples: int, live: Mapping[str, float]
) -> dict[str, ExportedTensor]:
    """The inputs of the network, in order; ``live`` are the values of the node's live params."""
    return {
        "content": fixed(given["content"], "content features"),
        "pitch": fixed(given["pitch"], "F0 in Hz, 0 where unvoiced"),
        "level": fixed(given["level"], "level in dB of full scale"),
        "noise": ExportedTensor(
            (1, samples), description="standard normal numbers, of the block and one frame more"
        ),
        **{
            name: ExportedTensor((), description=_LIVE[name], default=torch.tensor(value))
            for name, value in live.items()
        },
    }


def example(given: dict[str, PortSpec], samples: int, case: int) -> dict[str, torch.Tensor]:
    """Inputs of a block."""
    content, level = given["content"], given["level"]
    return {
        "content": drawn("content", case, *content.type.shape(1, content.count)),
        "pitch": sung(given["pitch"], case),
        "level": drawn("level", case, *level.type.shape(1, level.count)) * 6 - 30,
        "noise": drawn("noise", case, 1, samples),
        "formant": torch.tensor(_FORMANTS[case % len(_FORMANTS)]),
        "breath": torch.tensor(_BREATHS[case % len(_BREATHS)]),
    }
