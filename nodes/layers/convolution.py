"""Convolutions in the layout ``[streams, frames, channels]``, with packed weights.

In this layout a sum over channels accesses memory in order. In the other layout oneDNN reorders
input, weight and output at every call; each reorder is a pass through memory, after which all
threads synchronise.

The packing that is fastest depends on the size of the input, the number of threads and the
processor. With another one oneDNN packs the weight anew at every call, which may take fifty times
as long as the convolution itself. So a layer holds its weight in every packing that its inputs have
asked for; most sizes share one or two.
"""

from __future__ import annotations

import torch
from torch import nn

from .packed import order_for, pack_convolution, run_convolution

_USUAL = 256
"""Number of frames for which a weight is packed at load."""


class Convolution(nn.Module):
    """A convolution over frames with an activation; only where ``can_pack`` is true.

    Args:
        weight: ``[outputs, inputs / groups, taps]``, on the CPU, in the dtype to compute in:
            float32, or bfloat16 with sums in float32.
        bias: ``[outputs]`` or None.
        padding: zeros before and after the frames.
        dilation: frames from tap to tap.
        groups: number of independent groups of channels.
        after: ``none``, ``relu``, ``gelu``, or ``leaky_relu`` with its ``slope``.
        slope: of ``leaky_relu``.
        stride: frames from output to output.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        after: str = "none",
        slope: float | None = None,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.outputs = weight.shape[0]
        self.dtype = weight.dtype
        self.padding, self.stride = padding, stride
        self.sizes = ([1, dilation], groups)
        inputs = weight.shape[1] * groups
        # Attributes, not buffers: packed weights cannot be saved in a state dict.
        self.orders = {b"": weight[:, :, None]}
        self.chosen: dict[tuple[torch.Size, int, int], torch.Tensor] = {}
        self._ordered(torch.Size((1, inputs, 1, _USUAL)), padding, torch.get_num_threads())
        del self.orders[b""]
        self.bias = None if bias is None else bias.to(weight.dtype)
        self.after = (after, [] if slope is None else [slope])

    def forward(
        self,
        x: torch.Tensor,
        add: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
        padding: int | None = None,
    ) -> torch.Tensor:
        """``[streams, frames, inputs]`` -> ``[streams, frames, outputs]``, contiguous.

        Args:
            x: in any dtype; fastest if contiguous and in the layer's.
            add: added to the result, of the same shape; only without an activation.
            bias: replaces the layer's own.
            padding: replaces the layer's own.

        Returns:
            In the dtype of the weight.
        """
        bias = self.bias if bias is None else bias.to(self.dtype)
        other = None if add is None else _image(add.to(self.dtype))
        image = _image(x.to(self.dtype))
        padding = self.padding if padding is None else padding
        asked = (image.shape, padding, torch.get_num_threads())
        weight = self.chosen.get(asked)
        if weight is None:
            weight = self._ordered(*asked)
        sizes = ([0, padding], *self.sizes)
        made = run_convolution(image, weight, bias, *sizes, self.after, other, self.stride)
        return made.permute(0, 2, 3, 1).flatten(1, 2)

    def _ordered(self, size: torch.Size, padding: int, threads: int) -> torch.Tensor:
        """The weight packed for an input's size; sizes with the same packing share it."""
        known = next(iter(self.orders.values()))
        with torch.inference_mode(False), torch.no_grad():
            sizes = ([0, padding], *self.sizes)
            order = order_for(known.shape, *sizes, size, self.dtype, self.stride)
            if order not in self.orders:
                made = pack_convolution(known, *sizes, list(size), self.stride)
                self.orders[order] = made
        self.chosen[size, padding, threads] = self.orders[order]
        return self.orders[order]


def _image(x: torch.Tensor) -> torch.Tensor:
    """``[streams, frames, channels]`` as ``[streams, channels, 1, frames]``, a view.

    If streams or frames are 1, torch's own view has strides that oneDNN mistakes for another
    layout, and would reorder.
    """
    streams, frames, channels = x.shape
    x = x.contiguous()
    size = (streams, channels, 1, frames)
    return x.as_strided(size, (frames * channels, 1, frames * channels, channels))
