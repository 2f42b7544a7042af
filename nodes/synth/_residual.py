"""Residual blocks of the decoder, the two kinds of HiFi-GAN.

J. Kong, J. Kim, J. Bae, "HiFi-GAN", NeurIPS 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

SLOPE = 0.1


def _conv(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    padding = (kernel * dilation - dilation) // 2
    return nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding)


class PairedBlock(nn.Module):
    """Kind 1: pairs of convolutions, the first dilated, with a residual connection each."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_conv(channels, kernel, d) for d in dilations)
        self.convs2 = nn.ModuleList(_conv(channels, kernel, 1) for _ in dilations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, channels, samples]``, the same."""
        for first, second in zip(self.convs1, self.convs2, strict=True):
            inner = functional.leaky_relu_(first(functional.leaky_relu(x, SLOPE)), SLOPE)
            x = second(inner).add_(x)
        return x


class SingleBlock(nn.Module):
    """Kind 2: dilated convolutions with a residual connection each."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv(channels, kernel, d) for d in dilations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, channels, samples]``, the same."""
        for conv in self.convs:
            x = conv(functional.leaky_relu(x, SLOPE)).add_(x)
        return x
