"""Depthwise convolutions over few frames, plain and packed for the CPU."""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.nodes.layers.convolution import Convolution

_FEW = 2**17
"""Products up to which they are computed one by one: a call of oneDNN costs as much as these."""


class DepthwiseConvolution(nn.Conv1d):
    """A convolution of each channel over frames, without padding.

    Args:
        channels: of input and output.
        taps: frames that an output frame is made of.
    """

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__(channels, channels, taps, groups=channels)
        self.taps = taps

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  as in nn.Conv1d
        """``[streams, taps - 1 + frames, channels]`` -> ``[streams, frames, channels]``."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class PackedDepthwiseConvolution(nn.Module):
    """The same in float32; only where ``can_pack`` is true."""

    def __init__(self, plain: DepthwiseConvolution) -> None:
        super().__init__()
        assert plain.bias is not None
        self.kernel = plain.weight[:, 0].t().contiguous()
        self.taps, self.bias = plain.taps, plain.bias
        self.convolution = Convolution(plain.weight, plain.bias, groups=len(plain.weight))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As :meth:`DepthwiseConvolution.forward`."""
        windows = windows_of(x, len(self.kernel))
        if windows.numel() > _FEW:
            return self.convolution(x)
        return (windows * self.kernel).sum(2).add_(self.bias)


def windows_of(x: torch.Tensor, taps: int) -> torch.Tensor:
    """``[streams, frames, taps, channels]``, a view of ``taps - 1`` frames more."""
    streams, frames, channels = x.shape
    x = x.contiguous()
    size = (streams, frames - taps + 1, taps, channels)
    return x.as_strided(size, (frames * channels, channels, channels, 1))
