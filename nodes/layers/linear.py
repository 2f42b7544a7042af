"""A linear layer with its activation."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Linear(nn.Linear):
    """``y = x W^T + b``, and exact GELU of it if ``gelu``.

    Args:
        inputs: width of the input.
        outputs: width of the output.
        bias: whether there is a bias.
        gelu: whether to apply GELU.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True, gelu: bool = False) -> None:
        super().__init__(inputs, outputs, bias)
        self.gelu = gelu

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  as in nn.Linear
        """``[rows, inputs]`` -> ``[rows, outputs]``."""
        y = functional.linear(input, self.weight, self.bias)
        return functional.gelu(y) if self.gelu else y
