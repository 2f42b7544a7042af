"""What networks of all families replace in each packed form; each adds layers of its own."""

from __future__ import annotations

import functools
from types import MappingProxyType

import torch

from voicegraph.nodes.layers.form import Packers
from voicegraph.nodes.layers.grouped_convolution import GroupedConvolution
from voicegraph.nodes.layers.int8_linear import Int8Linear
from voicegraph.nodes.layers.linear import Linear
from voicegraph.nodes.layers.packed import PackedLinear
from voicegraph.nodes.layers.packed_grouped_convolution import PackedGroupedConvolution

FLOAT32_PACKERS: Packers = MappingProxyType(
    {Linear: PackedLinear.of, GroupedConvolution: PackedGroupedConvolution}
)
BFLOAT16_PACKERS: Packers = MappingProxyType(
    {
        Linear: functools.partial(PackedLinear.of, dtype=torch.bfloat16),
        GroupedConvolution: PackedGroupedConvolution,
    }
)
"""Long grouped kernels stay float32: oneDNN has none in bfloat16 that is fast."""
INT8_PACKERS: Packers = MappingProxyType(
    {Linear: Int8Linear.of, GroupedConvolution: PackedGroupedConvolution}
)
