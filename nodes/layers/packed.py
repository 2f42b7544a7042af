"""Linear layers and convolutions with weights packed once, at load, for the CPU.

On x86 in float32, torch's ``linear`` calls a BLAS with unpacked weights, which on some processors
does not use the widest instructions, and ``conv1d`` packs the weight at every call. oneDNN, which
every x86 build of torch contains, accepts packed weights, and applies GELU while the result is in
the cache. The operators are those that ``torch.compile`` emits for the CPU. Elsewhere (other
processors, CUDA, other dtypes) plain torch operators compute the same.
"""

from __future__ import annotations

import functools
import platform

import torch
from torch import nn
from torch.nn import functional

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_OPERATORS = (
    "_convolution_pointwise",
    "_get_mkldnn_serialized_md",
    "_linear_pointwise",
    "_reorder_convolution_weight",
    "_reorder_linear_weight",
)

_SHAPE_BYTES = 112


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether oneDNN's operators with packed weights can be used."""
    return (
        _X86
        and device.type == "cpu"
        and dtype is torch.float32
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in _OPERATORS)
    )


def pointwise(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, gelu: bool
) -> torch.Tensor:
    """``x W^T + b`` by oneDNN, and exact GELU of it if ``gelu``; requires :func:`can_pack`."""
    after = "gelu" if gelu else "none"
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, after, [], "none")


def pack_convolution(
    weight: torch.Tensor, padding: list[int], dilation: list[int], groups: int, size: list[int]
) -> torch.Tensor:
    """Packs a kernel ``[outputs, inputs / groups, 1, taps]`` for oneDNN.

    The fastest packing depends on the input's size ``[streams, inputs, 1, frames]``. With the
    packing for another size the result is the same, but the call may be many times slower.
    """
    plain = weight.to_dense() if weight.is_mkldnn else weight
    wide = plain.contiguous(memory_format=torch.channels_last)
    reorder = torch.ops.mkldnn._reorder_convolution_weight
    return reorder(wide, padding, [1, 1], dilation, groups, size)


def order_for(
    shape: torch.Size, padding: list[int], dilation: list[int], groups: int, size: torch.Size
) -> bytes:
    """A key of the packing that :func:`pack_convolution` would choose.

    It depends on sizes and threads alone and is cached, so that layers of one shape share it. Most
    sizes need a packing that exists already; packing again would cost several times as much.
    """
    asked = (tuple(padding), tuple(dilation), groups, size)
    return _order_for(shape, *asked, torch.get_num_threads())


@functools.lru_cache(maxsize=4096)
def _order_for(
    shape: torch.Size,
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
    size: torch.Size,
    _threads: int,
) -> bytes:
    wide = torch.empty(shape, memory_format=torch.channels_last)  # the values do not matter
    packed = pack_convolution(wide, list(padding), list(dilation), groups, list(size))
    # The end of oneDNN's memory descriptor. It begins with the shape, followed by uninitialised
    # padding.
    return torch.ops.mkldnn._get_mkldnn_serialized_md(packed).numpy()[_SHAPE_BYTES:].tobytes()


def run_convolution(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    padding: list[int],
    dilation: list[int],
    groups: int,
    after: tuple[str, list[float]] = ("none", []),
    add: torch.Tensor | None = None,
) -> torch.Tensor:
    """A convolution with a packed weight on ``[streams, inputs, 1, frames]``.

    It is followed by ``after``, an activation with its arguments, or by the addition of ``add``.
    """
    sizes = (padding, [1, 1], dilation, groups)
    run = torch.ops.mkldnn._convolution_pointwise
    if add is None:
        return run(x, weight, bias, *sizes, *after, "none")
    return run.binary(x, add, weight, bias, *sizes, "add", 1.0, None, [], None)


class Linear(nn.Module):
    """``y = x W^T + b``, and exact GELU of it if ``gelu``.

    Args:
        weight: ``[outputs, inputs]``, on the device and in the dtype to compute in.
        bias: ``[outputs]`` or None.
        gelu: whether to apply GELU.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, gelu: bool = False) -> None:
        super().__init__()
        self.packed = can_pack(weight.device, weight.dtype)
        self.gelu = gelu
        # Attributes, not buffers: packed weights cannot be saved in a state dict.
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight) if self.packed else weight
        self.bias = bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[rows, inputs]`` -> ``[rows, outputs]``."""
        if self.packed:
            return pointwise(x, self.weight, self.bias, self.gelu)
        y = functional.linear(x, self.weight, self.bias)
        return functional.gelu(y) if self.gelu else y


class GroupedConvolution(nn.Module):
    """GELU of a grouped convolution over frames, padded with half the kernel on either side.

    The additional frame of an even kernel is dropped.

    Args:
        weight: ``[channels, channels / groups, taps]``, on the device and in the dtype to use.
        bias: ``[channels]``.
        as_product: whether to compute it as one batched matrix product; by default on CUDA, since
            cuDNN rounds float32 to TF32 in convolutions.
    """

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor, as_product: bool | None = None
    ) -> None:
        super().__init__()
        channels, self.width, self.taps = weight.shape
        self.groups = channels // self.width
        self.bias = bias
        self.as_product = weight.is_cuda if as_product is None else as_product
        self.packed = can_pack(weight.device, weight.dtype) and not self.as_product
        if self.packed:
            wide = weight[:, :, None].contiguous()
            self.weight = torch.ops.mkldnn._reorder_convolution_weight(
                wide, [0, self.taps // 2], [1, 1], [1, 1], self.groups, None
            )
        elif self.as_product:  # [groups, taps * inputs, outputs]
            grouped = weight.view(self.groups, self.width, self.width, self.taps)
            self.weight = grouped.permute(0, 3, 2, 1).flatten(1, 2).contiguous()
        else:
            self.weight = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]`` -> the same shape."""
        if self.as_product:
            return self._product(x)
        turned, padding = x.transpose(1, 2), self.taps // 2
        if self.packed:
            sizes = ([0, padding], [1, 1], self.groups)
            image = turned[:, :, None]
            wide = run_convolution(image, self.weight, self.bias, *sizes, ("gelu", []))
            return wide[:, :, 0, : x.shape[1]].transpose(1, 2)
        y = functional.conv1d(turned, self.weight, self.bias, padding=padding, groups=self.groups)
        return functional.gelu(y[:, :, : x.shape[1]].transpose(1, 2))

    def _product(self, x: torch.Tensor) -> torch.Tensor:
        streams, frames, channels = x.shape
        half = self.taps // 2
        padded = functional.pad(x, (0, 0, half, half))
        split = padded.view(streams, -1, self.groups, self.width).transpose(1, 2)
        rows = split.unfold(2, self.taps, 1)[:, :, :frames].transpose(3, 4)
        rows = rows.reshape(streams, self.groups, frames, self.taps * self.width)
        y = (rows @ self.weight).transpose(1, 2).reshape(streams, frames, channels)
        return functional.gelu(y + self.bias)
