"""The positional convolution: one set of numbers in every way, and no packing at each call."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers.grouped_convolution import GroupedConvolution, grouped_product
from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.layers.packed_grouped_convolution import PackedGroupedConvolution

from ...tolerance import assert_close, rounding

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(
        not can_pack(torch.device("cpu"), torch.float32),
        reason="needs oneDNN's own operators on x86",
    ),
]


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def _plain(channels: int, groups: int, taps: int) -> GroupedConvolution:
    made = GroupedConvolution(channels, groups, taps).requires_grad_(False)
    made.weight.copy_(_noise(channels, channels // groups, taps))
    made.bias.copy_(_noise(channels))
    return made


@pytest.mark.parametrize("taps", [1, 15, 16])
@pytest.mark.parametrize(
    ("frames", "context"), [(1, 0), (9, 0), (40, 0), (9, 3), (30, 8), (30, 25)]
)
def test_every_way_gives_the_convolution(taps: int, frames: int, context: int) -> None:
    plain, x = _plain(24, 4, taps), _noise(3, frames, 24)
    y = functional.conv1d(
        x.double().transpose(1, 2),
        plain.weight.double(),
        plain.bias.double(),
        padding=taps // 2,
        groups=4,
    )[:, :, :frames].transpose(1, 2)
    product = grouped_product(x, plain.weight, plain.bias)
    assert_close(product.double(), y, rounding(6 * taps))
    for layer in (plain, PackedGroupedConvolution(plain)):
        expected = functional.gelu(y[:, context:])
        assert_close(layer(x, context).double(), expected, rounding(6 * taps))


def test_no_window_packs_the_weight_at_each_call(capfd: pytest.CaptureFixture[str]) -> None:
    """oneDNN reports each time it lays out numbers anew. HuBERT's sizes, where it did below 82."""
    layer = PackedGroupedConvolution(_plain(768, 16, 128))
    for frames in (6, 16, 40, 81, 82, 140):
        x = _noise(1, frames, 768)
        layer(x)  # packs for this size
        layer(x, context=5)
        with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
            layer(x)
            layer(x, context=5)
        lines = capfd.readouterr().out.splitlines()
        ran = [line for line in lines if "convolution" in line]
        assert len(ran) == 2
        assert [line for line in lines if "reorder" in line] == []
