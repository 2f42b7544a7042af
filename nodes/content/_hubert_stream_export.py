"""A HuBERT encoder's stream as an exported network: one block, with its state as inputs.

The arithmetic is that of ``_hubert_stream`` without branches that depend on how old the stream is.
What that keeps in rings lies in order here, the newest last, since a place in a ring depends on the
number of the frame.
"""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.nodes.content._hubert_network import HubertNetwork
from voicegraph.nodes.content._hubert_stream import (
    HubertStream,
    HubertStreamState,
    attended,
    projected,
)


class _PortableBlock(nn.Module):
    """One block of one stream.

    Args:
        stream: with the portable network.
        part: the samples of the input that a block uses.
        span: the frames of the kept features that are the output.
    """

    def __init__(self, stream: HubertStream, part: slice, span: slice) -> None:
        super().__init__()
        self.stream, self.part, self.span = stream, part, span
        self.network: HubertNetwork = stream.network


class PortableHubertStream(_PortableBlock):
    """One block of a stream whose frames are remembered."""

    def __init__(self, stream: HubertStream, part: slice, span: slice) -> None:
        super().__init__(stream, part, span)
        self.silence = nn.Buffer(stream.silence)

    def begin(self, state: HubertStreamState) -> dict[str, torch.Tensor]:
        """The state at the beginning of a stream, from that of the node."""
        settled = state.pairs[:, :, self.stream.again + self.stream.block :]
        return {**state.tensors(), "pairs": settled.clone()}

    def forward(
        self,
        audio: torch.Tensor,
        heard: torch.Tensor,
        sums: torch.Tensor,
        projected: torch.Tensor,
        pairs: torch.Tensor,
        features: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Content ``[1, frames, width]`` and the next state.

        ``heard`` ``[1]`` int64: frames so far. ``sums`` ``[1, window, taps, taps + 1]`` float64, of
        the newest frames. ``projected`` ``[1, reach + again, hidden]``. ``pairs`` ``[1, layers,
        past, 2 hidden]``: keys and values of settled frames. ``features`` ``[1, kept, width]``.
        """
        stream, new = self.stream, self.stream.block
        x, sums, line = self._embed(audio[:, 0, self.part], heard, sums, projected)
        live_exists, seen = self._existing(heard, new)
        kept = []
        for number, layer in enumerate(stream.layers):
            x, settled = self._layer(layer, x, pairs[:, number], seen)
            kept.append(settled)
        if self.network.head is not None:
            x = self.network.head(x)
        made = torch.where(live_exists[..., None], x, self.silence)
        older = features[:, new : new + stream.kept - made.shape[1]]
        features = torch.cat((older, made), 1)
        pairs = torch.stack(kept, 1)
        return features[:, self.span], heard + new, sums, line[:, new:], pairs, features

    def _embed(
        self, audio: torch.Tensor, heard: torch.Tensor, sums: torch.Tensor, before: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Input of the first layer, the sums of the newest frames, and the positional input."""
        network, stream, statistics = self.network, self.stream, self.stream.statistics
        new, step, taps = stream.block, statistics.step, statistics.taps
        exists = (heard[:, None] + torch.arange(new)) >= 0
        rows = statistics.rows(audio)
        made = statistics.sums(rows[:, : new * step].view(1, new, step, taps))
        made = made * exists[..., None, None]
        sums = torch.cat((sums, made), 1)[:, -statistics.window :]
        frames = (heard + new).clamp(0, statistics.window)
        begun = (frames > 0).double()[:, None, None]
        count = frames.double()[:, None, None] * step + begun * statistics.tail
        total = sums.sum(1) + statistics.sums(rows[:, new * step :]) * begun
        total = total / count.clamp_min(1)
        mean = total[:, None, :, -1]
        kernels = network.first.kernels(total[..., :-1] - mean.transpose(1, 2) * mean)
        x = network.first((rows - mean).float(), kernels)
        for conv in network.convs:
            x = conv(x)
        x = network.projected(x.flatten(0, 1)).view(1, new, -1) * exists[..., None]
        line = torch.cat((before, x), 1)
        live = line[:, stream.reach :] + network.position(line, context=stream.reach)
        return network.norm(live), sums, line

    def _existing(self, heard: torch.Tensor, new: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Live frames that exist, and the frames that attention uses: live ones, settled ones."""
        stream = self.stream
        settled = (heard - stream.again)[:, None]
        live = settled + torch.arange(stream.again + new) >= 0
        older = torch.arange(stream.past, 0, -1) <= settled
        seen = torch.cat((live | (heard + new <= 0)[:, None], older), 1)
        return live, seen[:, None, None]

    def _layer(
        self, layer: nn.Module, x: torch.Tensor, settled: torch.Tensor, seen: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A layer on the live frames, and the pairs that are settled after the block."""
        query, own = projected(layer, x)  # pyright: ignore[reportArgumentType]
        made = attended(layer, x, query, torch.cat((own, settled), 1), seen)  # pyright: ignore[reportArgumentType]
        new = own[:, : self.stream.block]
        return made, torch.cat((settled, new), 1)[:, -self.stream.past :]


class PortableHubertWindow(_PortableBlock):
    """One block of a stream that remembers no frame: the network on the whole context."""

    def forward(
        self, audio: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Content ``[1, frames, width]``, and the kept features ``[1, kept, width]``."""
        kept, new = self.stream.kept, self.stream.block
        made = self.network(audio[:, 0, self.part])[:, -kept:]
        older = features[:, new : new + kept - made.shape[1]]
        features = torch.cat((older, made), 1)
        return features[:, self.span], features
