"""Convolutions over two axes for few channels: ``[streams, rows, columns, channels]``.

In this layout the channels of a place lie together, as oneDNN's fastest kernels for few channels
read them, and nothing is laid out anew between two layers. Of a small image a call of oneDNN takes
longer than the products: :func:`image_product` has a layout of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.packed import order_for, pack_convolution, run_convolution


class ImageConvolution(nn.Conv2d):
    """A convolution, equally large, plus ``add`` if that is given, then a rectifier.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        size: taps along rows and columns, both odd.
        dilation: distance of the taps along rows and columns.
        relu: whether a rectifier follows.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: tuple[int, int],
        dilation: tuple[int, int] = (1, 1),
        relu: bool = True,
    ) -> None:
        high, wide = (step * (taps // 2) for taps, step in zip(size, dilation, strict=True))
        super().__init__(inputs, outputs, size, padding=(high, wide), dilation=dilation)
        self.relu = relu

    def forward(self, input: torch.Tensor, add: torch.Tensor | None = None) -> torch.Tensor:  # noqa: A002  as in nn.Conv2d
        """``[streams, rows, columns, inputs]`` -> ``[streams, rows, columns, outputs]``."""
        y = super().forward(input.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        y = y if add is None else y + add
        return functional.relu(y) if self.relu else y

    def kernels(self) -> list[torch.Tensor]:
        """For each tap along rows a matrix ``[outputs, inputs * taps along columns]``."""
        return [tap.flatten(1) for tap in self.weight.unbind(2)]


class PackedImageConvolution(nn.Module):
    """The same with its weight packed for oneDNN; only where ``can_pack`` is true."""

    def __init__(self, plain: ImageConvolution) -> None:
        super().__init__()
        padding, self.dilation = plain.padding, plain.dilation
        assert not isinstance(padding, str)
        self.sizes = (list(padding), list(self.dilation), plain.groups)
        self.relu = plain.relu
        self.after: tuple[str, list[float]] = ("relu" if plain.relu else "none", [])
        # Attributes, not buffers: packed weights cannot be saved in a state dict.
        self.weight = plain.weight.detach()
        self.bias = None if plain.bias is None else plain.bias.detach()
        self._kernels = [kernel.detach() for kernel in plain.kernels()]
        self.orders: dict[bytes, torch.Tensor] = {}
        self.chosen: dict[tuple[torch.Size, int], torch.Tensor] = {}

    def forward(self, x: torch.Tensor, add: torch.Tensor | None = None) -> torch.Tensor:
        """As :meth:`ImageConvolution.forward`; contiguous."""
        image = _image(x)
        asked = (image.shape, torch.get_num_threads())
        weight = self.chosen.get(asked)
        if weight is None:
            weight = self._packed_for(*asked)
        other = None if add is None else _image(add)
        made = run_convolution(image, weight, self.bias, *self.sizes, self.after, other)
        return made.permute(0, 2, 3, 1)

    def kernels(self) -> list[torch.Tensor]:
        """As :meth:`ImageConvolution.kernels`."""
        return self._kernels

    def _packed_for(self, size: torch.Size, threads: int) -> torch.Tensor:
        """The weight packed for an input's size; sizes with the same packing share it."""
        with torch.inference_mode(False), torch.no_grad():
            order = order_for(self.weight.shape, *self.sizes, size)
            if order not in self.orders:
                self.orders[order] = pack_convolution(self.weight, *self.sizes, list(size))
        self.chosen[size, threads] = self.orders[order]
        return self.orders[order]


class Margins(NamedTuple):
    """Zeros around an image, in rows and columns."""

    top: int
    bottom: int
    left: int
    right: int


def image_product(
    x: torch.Tensor,
    layer: ImageConvolution | PackedImageConvolution,
    margins: Margins,
    add: torch.Tensor | None = None,
) -> torch.Tensor:
    """A layer on a small image, as one matrix product.

    Args:
        x: ``[streams, inputs, rows, columns]``.
        layer: whose weight, dilation and rectifier are used.
        margins: zeros around ``x``; the result is smaller than ``x`` with them by the layer's
            reach.
        add: added before the rectifier, of the shape of the result.

    Returns:
        ``[streams, outputs, rows, columns]``, contiguous.
    """
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    outputs, inputs, high, wide = weight.shape
    down, across = layer.dilation
    padded = functional.pad(x, (margins.left, margins.right, margins.top, margins.bottom))
    streams, _, rows, columns = padded.shape
    size = (rows - down * (high - 1), columns - across * (wide - 1))
    # The taps along columns lie below each other; those along rows are summed: laid out, too, they
    # would not fit into the cache.
    step = (inputs * rows * columns, rows * columns, across, columns, 1)
    places = padded.contiguous().as_strided((streams, inputs, wide, rows, size[1]), step)
    places = places.reshape(streams, inputs * wide, rows * size[1])
    count = size[0] * size[1]
    y = padded.new_empty(streams, outputs, count)
    first, *others = layer.kernels()
    for seen, made in zip(places.unbind(), y.unbind(), strict=True):
        torch.addmm(bias[:, None], first, seen[:, :count], out=made)
        for number, kernel in enumerate(others, 1):
            made.addmm_(kernel, seen.narrow(1, number * down * size[1], count))
    y = y.view(streams, outputs, *size)
    y = y if add is None else y.add_(add)
    return y.relu_() if layer.relu else y


def _image(x: torch.Tensor) -> torch.Tensor:
    """``[streams, rows, columns, channels]`` as ``[streams, channels, rows, columns]``, a view.

    If an axis has size 1, torch's own view has strides that oneDNN mistakes for another layout.
    """
    streams, rows, columns, channels = x.shape
    x = x.contiguous()
    strides = (rows * columns * channels, 1, columns * channels, channels)
    return x.as_strided((streams, channels, rows, columns), strides)
