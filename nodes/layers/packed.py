"""Linear layers with weights packed once, at load, for the CPU, and oneDNN's operators for others.

On x86 in float32, torch's ``linear`` calls a BLAS with unpacked weights, which on some processors
does not use the widest instructions, and ``conv1d`` packs the weight at every call. oneDNN, which
every x86 build of torch contains, accepts packed weights, and applies GELU while the result is in
the cache. The operators are those that ``torch.compile`` emits for the CPU. Elsewhere (other
processors, CUDA, other dtypes) the plain layers compute the same.

In bfloat16 every product is rounded once, after its sum in float32. Whether that is faster depends
on the processor: see ``precision_trial``.
"""

from __future__ import annotations

import functools
import platform

import torch
from torch import nn

from voicegraph.nodes.layers.linear import Linear

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_OPERATORS = (
    "_convolution_pointwise",
    "_get_mkldnn_serialized_md",
    "_linear_pointwise",
    "_reorder_convolution_weight",
    "_reorder_linear_weight",
)

_SHAPE_BYTES = 112


def is_x86() -> bool:
    """Whether this is a processor for which oneDNN's operators are made."""
    return _X86


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether oneDNN's operators with packed weights can be used, in float32 or bfloat16."""
    return (
        _X86
        and device.type == "cpu"
        and dtype in (torch.float32, torch.bfloat16)
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in _OPERATORS)
        and (dtype is torch.float32 or has_bfloat16(device))
    )


def has_bfloat16(device: torch.device) -> bool:
    """Whether products are computed in bfloat16 there, be it slowly.

    On the CPU by oneDNN, with AVX-512 or AVX-NE-CONVERT; other devices are taken to do so.
    """
    if device.type != "cpu":
        return True
    found = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return found is not None and found()


def pointwise(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, after: str = "none"
) -> torch.Tensor:
    """``x W^T + b`` by oneDNN, then ``none``, exact ``gelu`` or ``swish`` (SiLU).

    Requires :func:`can_pack`.
    """
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, after, [], "none")


def pack_convolution(
    weight: torch.Tensor,
    padding: list[int],
    dilation: list[int],
    groups: int,
    size: list[int],
    stride: int = 1,
) -> torch.Tensor:
    """Packs a kernel ``[outputs, inputs / groups, 1, taps]`` for oneDNN.

    The fastest packing depends on the input's size ``[streams, inputs, 1, frames]``. With the
    packing for another size the result is the same, but each call packs the kernel anew, which may
    take many times as long as the convolution.
    """
    plain = weight.to_dense() if weight.is_mkldnn else weight
    wide = plain.contiguous(memory_format=torch.channels_last)
    reorder = torch.ops.mkldnn._reorder_convolution_weight
    return reorder(wide, padding, [1, stride], dilation, groups, size)


def order_for(
    shape: torch.Size,
    padding: list[int],
    dilation: list[int],
    groups: int,
    size: torch.Size,
    dtype: torch.dtype = torch.float32,
    stride: int = 1,
) -> bytes:
    """A key of the packing that :func:`pack_convolution` would choose.

    It depends on sizes and threads alone and is cached, so that layers of one shape share it. Most
    sizes need a packing that exists already; packing again would cost several times as much.
    """
    asked = (tuple(padding), tuple(dilation), groups, size)
    return _order_for(shape, *asked, dtype, stride, torch.get_num_threads())


@functools.lru_cache(maxsize=4096)
def _order_for(
    shape: torch.Size,
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
    size: torch.Size,
    dtype: torch.dtype,
    stride: int,
    _threads: int,
) -> bytes:
    # The values do not matter.
    wide = torch.empty(shape, dtype=dtype, memory_format=torch.channels_last)
    packed = pack_convolution(wide, list(padding), list(dilation), groups, list(size), stride)
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
    stride: int = 1,
) -> torch.Tensor:
    """A convolution with a packed weight on ``[streams, inputs, rows, frames]``.

    It is followed by the addition of ``add``, and then by ``after``, an activation with its
    arguments.
    """
    sizes = (padding, [1, stride], dilation, groups)
    run = torch.ops.mkldnn._convolution_pointwise
    if add is None:
        return run(x, weight, bias, *sizes, *after, "none")
    name, arguments = after
    last = (None if name == "none" else name, arguments, None)
    return run.binary(x, add, weight, bias, *sizes, "add", 1.0, *last)


class PackedLinear(nn.Module):
    """``y = x W^T + b``, and exact GELU of it if ``gelu``; only where ``can_pack`` is true.

    Args:
        weight: ``[outputs, inputs]``, on the CPU, in the dtype to compute in: float32 or bfloat16.
        bias: ``[outputs]`` or None.
        gelu: whether to apply GELU.
        silu: whether to apply SiLU.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        gelu: bool = False,
        silu: bool = False,
    ) -> None:
        super().__init__()
        self.after = "gelu" if gelu else "swish" if silu else "none"
        # Attributes, not buffers: packed weights cannot be saved in a state dict.
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        self.dtype = weight.dtype
        self.bias = None if bias is None else bias.to(weight.dtype)

    @classmethod
    def of(cls, layer: Linear, dtype: torch.dtype = torch.float32) -> PackedLinear:
        """The packed counterpart of a plain layer, to compute in ``dtype``."""
        return cls(layer.weight.to(dtype), layer.bias, layer.gelu)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[..., inputs]`` in any dtype -> ``[..., outputs]`` in that of the weight."""
        return pointwise(x.to(self.dtype), self.weight, self.bias, self.after)
