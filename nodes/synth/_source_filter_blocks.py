"""Layers of a source-filter network, plain and packed for the CPU.

A block of a stream has few frames, so that the time of the packed ones is that of calling
operations: they are as few as possible.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.depthwise import (
    DepthwiseConvolution,
    PackedDepthwiseConvolution,
    windows_of,
)
from voicegraph.nodes.layers.half_linear import linear_for_few_rows
from voicegraph.schemas.source_filter_card import SourceFilterSizes


class FrameConvolution(nn.Conv1d):
    """A convolution over frames without padding."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  as in nn.Conv1d
        """``[streams, taps - 1 + frames, inputs]`` -> ``[streams, frames, outputs]``."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class Block(nn.Module):
    """Depthwise convolution over time, then an inverted bottleneck, with a residual connection."""

    def __init__(self, sizes: SourceFilterSizes) -> None:
        super().__init__()
        channels = sizes.channels
        self.depth = DepthwiseConvolution(channels, sizes.taps)
        self.norm = nn.LayerNorm(channels)
        self.up = nn.Linear(channels, sizes.inner)
        self.down = nn.Linear(sizes.inner, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.3))

    def forward(self, wide: torch.Tensor) -> torch.Tensor:
        """``[streams, taps - 1 + frames, channels]`` -> ``[streams, frames, channels]``."""
        x = self.down(functional.gelu(self.up(self.norm(self.depth(wide)))))
        return wide[:, wide.shape[1] - x.shape[1] :] + self.scale * x


class PackedFrameConvolution(nn.Module):
    """:class:`FrameConvolution` of all channels as one product."""

    def __init__(self, plain: FrameConvolution) -> None:
        super().__init__()
        self.taps = plain.kernel_size[0]
        assert plain.bias is not None
        self.product = linear_for_few_rows(plain.weight.transpose(1, 2).flatten(1), plain.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, taps - 1 + frames, inputs]`` -> ``[streams, frames, outputs]``."""
        return self.product(windows_of(x, self.taps).flatten(2))


class PackedBlock(nn.Module):
    """:class:`Block` with packed products."""

    def __init__(self, plain: Block) -> None:
        super().__init__()
        self.depth = PackedDepthwiseConvolution(plain.depth)
        self.norm = plain.norm
        self.up = linear_for_few_rows(plain.up.weight, plain.up.bias, "gelu")
        self.down = linear_for_few_rows(plain.down.weight, plain.down.bias)
        self.scale = plain.scale

    def forward(self, wide: torch.Tensor) -> torch.Tensor:
        """``[streams, taps - 1 + frames, channels]`` -> ``[streams, frames, channels]``."""
        x = self.down(self.up(self.norm(self.depth(wide))))
        return torch.addcmul(wide[:, wide.shape[1] - x.shape[1] :], self.scale, x)


SOURCE_FILTER_PACKERS = {
    Block: PackedBlock,
    FrameConvolution: PackedFrameConvolution,
    nn.Linear: lambda plain: linear_for_few_rows(plain.weight, plain.bias),
}
"""For float32 on the CPU."""
