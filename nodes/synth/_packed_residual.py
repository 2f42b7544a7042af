"""The decoder's residual blocks with weights packed for oneDNN, ``[streams, samples, channels]``.

See ``_residual``.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.short_convolution import ShortConvolution

from ._residual import SLOPE, PairedBlock, SingleBlock


class PackedBlock(nn.Module):
    """A residual block of either kind.

    Args:
        block: a PairedBlock or a SingleBlock; float32, on the CPU.
        dtype: to compute in. Short convolutions are for float32 alone: in bfloat16 their
            transforms would lose too much, and the processor multiplies faster anyway.
    """

    def __init__(self, block: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        if isinstance(block, PairedBlock):
            channels, _, taps = block.convs1[0].get_parameter("weight").shape
            pairs = zip(block.convs1, block.convs2, strict=True)
            if dtype is torch.float32 and ShortConvolution.is_faster(channels, taps):
                self.steps = nn.ModuleList(_ShortPair(*pair) for pair in pairs)
            else:
                self.steps = nn.ModuleList(_Pair(*pair, dtype) for pair in pairs)
        else:
            assert isinstance(block, SingleBlock)
            self.steps = nn.ModuleList(_Single(conv, dtype) for conv in block.convs)
        self.rectifies = not isinstance(self.steps[0], _ShortPair)

    def forward(self, x: torch.Tensor, rectified: torch.Tensor | None) -> torch.Tensor:
        """``[streams, samples, channels]``, the same.

        ``rectified`` is the leaky-rectified ``x``, which all blocks of a stage share; it is
        required if ``rectifies`` is true.
        """
        for step in self.steps:
            x = step(x, rectified)
            rectified = None
        return x


class _Pair(nn.Module):
    """Two convolutions with a residual connection."""

    def __init__(self, first: nn.Module, second: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.first = _direct(first, dtype, rectified=True)
        self.second = _direct(second, dtype)

    def forward(self, x: torch.Tensor, rectified: torch.Tensor | None) -> torch.Tensor:
        return self.second(self.first(_rectified(x, rectified)), add=x)


class _ShortPair(nn.Module):
    """The same by short convolution algorithms, where these are faster."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = _short(first), _short(second)

    def forward(self, x: torch.Tensor, rectified: torch.Tensor | None) -> torch.Tensor:
        return self.second(self.first(x)).add_(x)


class _Single(nn.Module):
    """One convolution with a residual connection."""

    def __init__(self, conv: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.conv = _direct(conv, dtype)

    def forward(self, x: torch.Tensor, rectified: torch.Tensor | None) -> torch.Tensor:
        return self.conv(_rectified(x, rectified), add=x)


def _rectified(x: torch.Tensor, already: torch.Tensor | None) -> torch.Tensor:
    return functional.leaky_relu(x, SLOPE) if already is None else already


def _direct(conv: nn.Module, dtype: torch.dtype, rectified: bool = False) -> Convolution:
    assert isinstance(conv, nn.Conv1d)
    dilation = conv.dilation[0]
    padding = conv.kernel_size[0] // 2 * dilation
    after = ("leaky_relu", SLOPE) if rectified else ("none", None)
    return Convolution(conv.weight.to(dtype), conv.bias, padding, dilation, 1, *after)


def _short(conv: nn.Module) -> ShortConvolution:
    assert isinstance(conv, nn.Conv1d)
    assert conv.bias is not None
    return ShortConvolution(conv.weight, conv.bias, conv.dilation[0], SLOPE)
