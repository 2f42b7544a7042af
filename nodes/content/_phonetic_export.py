"""A phonetic encoder's stream as an exported network: one block, with its state as inputs."""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.nodes.content.phonetic_stream import PhoneticStream, PhoneticStreamState
from voicegraph.nodes.layers.exported_stream import copied


class PortablePhoneticStream(nn.Module):
    """One block of one stream.

    Args:
        stream: the portable form.
        part: the samples of the input that the steps of a block use.
    """

    def __init__(self, stream: PhoneticStream, part: slice) -> None:
        super().__init__()
        self.stream, self.part, self.network = stream, part, stream.network

    def forward(
        self,
        audio: torch.Tensor,
        heard: torch.Tensor,
        stems: torch.Tensor,
        pairs: torch.Tensor,
        gated: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Content ``[1, frames, hidden]`` and the next state."""
        given = {"heard": heard, "stems": stems, "pairs": pairs, "gated": gated}
        state = copied(PhoneticStreamState, given)
        content = self.stream(audio[:, 0, self.part], state)
        return content, state.heard, state.stems, state.pairs, state.gated
