"""The positional convolution of wav2vec 2.0: long, grouped, followed by GELU."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class GroupedConvolution(nn.Module):
    """GELU of a grouped convolution over frames, padded with half the kernel on either side.

    The additional frame of an even kernel is dropped.

    Args:
        channels: of input and output.
        groups: independent groups of channels.
        taps: frames under the kernel.
    """

    def __init__(self, channels: int, groups: int, taps: int) -> None:
        super().__init__()
        self.groups, self.taps = groups, taps
        self.weight = nn.Parameter(torch.empty(channels, channels // groups, taps))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: torch.Tensor, context: int = 0) -> torch.Tensor:
        """``[streams, frames, channels]`` -> ``[streams, frames - context, channels]``.

        Args:
            x: the input.
            context: frames at the start that the others use, but whose output is not wanted.
        """
        return self._all(x)[:, context:]

    def _all(self, x: torch.Tensor) -> torch.Tensor:
        if x.is_cuda:  # cuDNN rounds float32 to TF32 in convolutions
            return functional.gelu(grouped_product(x, self.weight, self.bias))
        half = self.taps // 2
        turned = x.transpose(1, 2)
        y = functional.conv1d(turned, self.weight, self.bias, padding=half, groups=self.groups)
        return functional.gelu(y[:, :, : x.shape[1]].transpose(1, 2))


def grouped_product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """The grouped convolution as one batched matrix product on overlapping rows.

    Args:
        x: ``[streams, frames, channels]``.
        weight: ``[channels, channels / groups, taps]``.
        bias: ``[channels]``.

    Returns:
        The shape of ``x``.
    """
    streams, frames, channels = x.shape
    _, width, taps = weight.shape
    groups, half = channels // width, taps // 2
    kernels = weight.view(groups, width, width, taps).permute(0, 3, 2, 1).flatten(1, 2)
    padded = functional.pad(x, (0, 0, half, half))
    split = padded.view(streams, -1, groups, width).transpose(1, 2)
    rows = split.unfold(2, taps, 1)[:, :, :frames].transpose(3, 4)
    rows = rows.reshape(streams, groups, frames, taps * width)
    return (rows @ kernels).transpose(1, 2).reshape(streams, frames, channels) + bias
