"""The flow's couplings with weights packed for oneDNN: the same shift, faster. See ``_flow``.

Inside, the layout is ``[streams, frames, channels]``. In bfloat16 the products are, and the gates;
residuals, skips and the latents themselves are float32.
"""

from __future__ import annotations

import torch
from torch import nn

from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.packed import PackedLinear

from ._flow import Coupling


class PackedCoupling(nn.Module):
    """Replaces a :class:`Coupling`, with the same call.

    Args:
        plain: with folded weights; float32, on the CPU.
        dtype: of the products: float32 or bfloat16.
    """

    def __init__(self, plain: Coupling, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        stack = plain.enc
        self.hidden = stack.hidden
        self.pre, self.post = _pointwise(plain.pre, dtype), _pointwise(plain.post, dtype)
        weights = [layer.get_parameter("weight") for layer in stack.in_layers]
        self.in_layers = nn.ModuleList(
            Convolution(weight.to(dtype), None, weight.shape[2] // 2) for weight in weights
        )
        self.mixes = nn.ModuleList(_pointwise(mix, dtype) for mix in stack.res_skip_layers)

    def forward(
        self, x: torch.Tensor, biases: torch.Tensor, exists: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The shift, ``[streams, channels / 2, frames]`` of the same.

        ``exists``, float ``[streams, 1, frames]``, is 0 where there is no frame; None if all exist.
        """
        x = self.pre(x.transpose(1, 2)).to(x.dtype)
        skips = torch.zeros_like(x)
        for number, (layer, mix) in enumerate(zip(self.in_layers, self.mixes, strict=True)):
            if exists is not None:
                x = x * exists.transpose(1, 2)
            inner = layer(x, bias=biases[number])
            gated = inner[..., : self.hidden].tanh().mul_(inner[..., self.hidden :].sigmoid())
            mixed = mix(gated)
            if number < len(self.mixes) - 1:
                x = x + mixed[..., : self.hidden]
                mixed = mixed[..., self.hidden :]
            skips += mixed
        return self.post(skips).transpose(1, 2)


def _pointwise(layer: nn.Module, dtype: torch.dtype) -> PackedLinear:
    """A convolution of kernel 1 as a product."""
    assert isinstance(layer, nn.Conv1d)
    return PackedLinear(layer.weight[:, :, 0].to(dtype), layer.bias)
