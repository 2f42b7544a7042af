"""Linear layers with weights of 8 bits and inputs that are quantised at each call, for the CPU.

Weights have one scale for each output, inputs one for each row (frame), so that a frame's result
depends neither on the other frames of a window nor on other streams. Sums are exact in 32 bits.
On x86 with VNNI, oneDNN multiplies unsigned inputs with signed weights.

Source: B. Jacob et al., "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", CVPR 2018; scales by row as in T. Dettmers et al., "LLM.int8():
8-bit matrix multiplication for transformers at scale", NeurIPS 2022, without its outliers.
"""

from __future__ import annotations

import functools

import torch
from torch import nn

from voicegraph.nodes.layers.linear import Linear
from voicegraph.nodes.layers.packed import is_x86

_OPERATORS = ("qlinear_prepack", "qlinear_pointwise")
FULL_PEAK, _SAFE_PEAK = 127, 63
_SMALLEST = 1e-12
"""Smallest peak of a row: a row of zeros has no scale."""


def can_quantise(device: torch.device) -> bool:
    """Whether this processor and build of PyTorch have products of 8-bit integers for us."""
    return (
        is_x86()
        and device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.onednn, name) for name in _OPERATORS)
    )


@functools.cache
def input_peak() -> int:
    """Largest magnitude of a quantised input: ``FULL_PEAK``, or less where that would overflow.

    Without VNNI, the sum of two products is kept in 16 bits and saturates (``vpmaddubsw``). Asked
    of the multiplication itself, since what the processor has is not all that oneDNN goes by.
    """
    weight = torch.full((16, 64), 127, dtype=torch.int8)
    rows = torch.full((1, 64), 255, dtype=torch.uint8)
    with torch.inference_mode(False), torch.no_grad():
        exact = _multiply(rows, torch.ops.onednn.qlinear_prepack(weight, None), *_unit(16), 0)
    return FULL_PEAK if bool((exact == 64 * 127 * 255).all()) else _SAFE_PEAK


def _unit(outputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(outputs), torch.zeros(outputs, dtype=torch.int64)


def _multiply(
    rows: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor, offset: int
) -> torch.Tensor:
    """``(rows - offset) W^T scale``: uint8 ``[rows, inputs]`` -> float32 ``[rows, outputs]``."""
    result = (None, 1.0, 0, torch.float32, "none", [], "")
    return torch.ops.onednn.qlinear_pointwise(rows, 1.0, offset, weight, scale, zero, *result)


class Int8Linear(nn.Module):
    """``y = x W^T + b``, and exact GELU of it if ``gelu``; only where ``can_quantise`` is true.

    Args:
        weight: ``[outputs, inputs]``, in any floating-point dtype, on the CPU.
        bias: ``[outputs]`` or None.
        gelu: whether to apply GELU.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, gelu: bool = False) -> None:
        super().__init__()
        self.gelu = gelu
        weight = weight.float()
        self.scale = (weight.abs().amax(1) / 127).clamp_min(_SMALLEST)
        rounded = (weight / self.scale[:, None]).round().clamp(-127, 127).to(torch.int8)
        # Attributes, not buffers: packed weights cannot be saved in a state dict.
        self.weight = torch.ops.onednn.qlinear_prepack(rounded, None)
        self.zero = torch.zeros(len(weight), dtype=torch.int64)
        self.bias = torch.zeros(len(weight)) if bias is None else bias.float()
        self.peak = input_peak()

    @classmethod
    def of(cls, layer: Linear) -> Int8Linear:
        """The counterpart of a plain layer."""
        return cls(layer.weight, layer.bias, layer.gelu)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[rows, inputs]``, float32 or bfloat16 -> float32 ``[rows, outputs]``."""
        peak = torch.linalg.vector_norm(x, torch.inf, 1, dtype=torch.float32).clamp_min_(_SMALLEST)
        offset = self.peak + 1
        # Conversion to integers cuts off, so that half of a step is added.
        scaled = (x * (self.peak / peak)[:, None]).add_(offset + 0.5)
        made = _multiply(scaled.to(torch.uint8), self.weight, self.scale, self.zero, offset)
        y = torch.addcmul(self.bias, made, (peak / self.peak)[:, None])
        return torch.nn.functional.gelu(y) if self.gelu else y
