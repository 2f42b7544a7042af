"""Convolutions without padding, for streams: the caller puts the frames before a block in front.

The layout is ``[streams, frames, channels]``, as in the packed layers.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .convolution import Convolution


class ValidConvolution(nn.Module):
    """A convolution over frames, shorter than its input by ``(taps - 1) * dilation``.

    Args:
        weight: ``[outputs, inputs, taps]``.
        bias: ``[outputs]`` or None.
        dilation: frames from tap to tap.
        slope: of a leaky rectifier after it; None has none.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        dilation: int = 1,
        slope: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        self.dilation = dilation
        self.slope = slope

    def forward(
        self,
        x: torch.Tensor,
        add: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``[streams, frames, inputs]`` -> ``[streams, fewer frames, outputs]``.

        Args:
            x: the block, with the frames that its first output depends on in front.
            add: added to the result, of the same shape; only without an activation.
            bias: replaces the layer's own.
        """
        bias = self.bias if bias is None else bias
        y = functional.conv1d(x.transpose(1, 2), self.weight, bias, dilation=self.dilation)
        y = y.transpose(1, 2)
        if self.slope is not None:
            y = functional.leaky_relu_(y, self.slope)
        return y if add is None else y.add_(add)


class FinalConvolution(ValidConvolution):
    """The last one of a network, which gives samples: packed forms keep it in float32."""


def packed_valid_convolution(
    plain: ValidConvolution, dtype: torch.dtype = torch.float32
) -> Convolution:
    """The same with a packed weight, to compute in ``dtype``; only where ``can_pack`` is true."""
    after = ("none", None) if plain.slope is None else ("leaky_relu", plain.slope)
    return Convolution(plain.weight.to(dtype), plain.bias, 0, plain.dilation, 1, *after)
