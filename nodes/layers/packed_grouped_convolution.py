"""The positional convolution of wav2vec 2.0 with packed weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.grouped_convolution import GroupedConvolution


class PackedGroupedConvolution(nn.Module):
    """Replaces a :class:`GroupedConvolution`; only where ``can_pack`` is true, always in float32.

    Args:
        plain: with loaded weights; float32, on the CPU.
    """

    def __init__(self, plain: GroupedConvolution) -> None:
        super().__init__()
        self.reach, self.taps = plain.taps // 2, plain.taps
        self.product = Convolution(
            plain.weight, plain.bias, self.reach, groups=plain.groups, after="gelu"
        )

    def forward(self, x: torch.Tensor, context: int = 0) -> torch.Tensor:
        """As the plain one."""
        if context == 0:
            return self.product(x)[:, : x.shape[1]]
        line = x[:, max(context - self.reach, 0) :]
        before = max(self.reach - context, 0)
        line = functional.pad(line, (0, 0, before, self.taps - 1 - self.reach))
        return self.product(line, padding=0)
