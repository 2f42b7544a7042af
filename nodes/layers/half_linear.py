"""Linear layers for few rows whose weights are float16 numbers, for the CPU.

A block of a small network has so few rows that a product takes as long as reading its weights,
which lie in a cache of the processor that is far away. Model files often hold weights in float16.
Then they are read as such, half as many bytes; products and sums are in float32, so the result
differs from that of :class:`~voicegraph.nodes.layers.packed.PackedLinear` by rounding alone.

The operators are FBGEMM's, on x86. PyTorch calls them deprecated. Where they are missing, and for
weights that are no float16 numbers, :func:`linear_for_few_rows` gives the packed layer.
"""

from __future__ import annotations

import functools
import warnings

import torch
from torch import nn

from voicegraph.nodes.layers.packed import PackedLinear, is_x86

_FEW = 64
"""Rows up to which reading the weights takes most of the time, and one thread is enough."""
_ACTIVATIONS = {
    "none": lambda y: y,
    "gelu": torch.ops.aten.gelu_,
    "silu": torch.ops.aten.silu_,
}


class HalfLinear(nn.Module):
    """``y = x W^T + b`` in float32, and an activation; only where ``can_halve`` is true.

    Args:
        weight: float32 ``[outputs, inputs]``, on the CPU.
        bias: float32 ``[outputs]``.
        after: ``none``, exact ``gelu``, or ``silu``.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, after: str = "none") -> None:
        super().__init__()
        # Attributes, not buffers: packed weights cannot be saved in a state dict.
        self.weight = torch.fbgemm_pack_gemm_matrix_fp16(weight.contiguous())
        self.bias = bias.contiguous()
        self.activate = _ACTIVATIONS[after]
        # For more rows than `_FEW`, which several threads share.
        self.many = PackedLinear(weight, bias, gelu=after == "gelu", silu=after == "silu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float32 ``[..., inputs]`` -> ``[..., outputs]``."""
        if x.numel() > _FEW * x.shape[-1]:
            return self.many(x)
        run = torch.fbgemm_linear_fp16_weight_fp32_activation
        return self.activate(run(x, self.weight, self.bias))


def linear_for_few_rows(
    weight: torch.Tensor, bias: torch.Tensor, after: str = "none"
) -> HalfLinear | PackedLinear:
    """The layer that is fastest for few rows; only where ``can_pack`` is true.

    Args:
        weight: float32 ``[outputs, inputs]``, on the CPU.
        bias: float32 ``[outputs]``.
        after: ``none``, exact ``gelu``, or ``silu``.
    """
    if can_halve(weight):
        return HalfLinear(weight, bias, after)
    return PackedLinear(weight, bias, gelu=after == "gelu", silu=after == "silu")


def can_halve(weight: torch.Tensor) -> bool:
    """Whether float16 holds a weight exactly, and the operators exist here."""
    return _has_operators() and torch.equal(weight.half().float(), weight)


@functools.cache
def _has_operators() -> bool:
    """Tries them. This is also where PyTorch gives its warning, which it gives once."""
    if not is_x86():
        return False
    rows = torch.ones(2, 16)
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            warnings.simplefilter("ignore")
            weight = torch.fbgemm_pack_gemm_matrix_fp16(torch.ones(16, 16))
            found = torch.fbgemm_linear_fp16_weight_fp32_activation(rows, weight, torch.ones(16))
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return torch.equal(found, torch.full((2, 16), 17.0))
