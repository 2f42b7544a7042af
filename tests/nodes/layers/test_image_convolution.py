"""Convolutions over two axes, plain and packed."""

from __future__ import annotations

import pytest
import torch

from voicegraph.nodes.layers.image_convolution import (
    ImageConvolution,
    Margins,
    PackedImageConvolution,
    image_product,
)
from voicegraph.nodes.layers.packed import can_pack

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric
needs_packing = pytest.mark.skipif(
    not can_pack(torch.device("cpu"), torch.float32), reason="no packed operators here"
)


@needs_packing
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize(
    ("size", "dilation"), [((3, 7), (1, 2)), ((1, 5), (1, 9)), ((3, 3), (1, 1))]
)
def test_packed_is_as_plain(size, dilation, streams: int, relu: bool) -> None:
    torch.manual_seed(3)
    plain = ImageConvolution(12, 12, size, dilation, relu).requires_grad_(False)
    packed = PackedImageConvolution(plain)
    x = torch.randn(streams, 9, 40, 12)
    part = x[:, 1:6]
    terms = 12 * size[0] * size[1]
    assert_close(packed(x), plain(x), rounding(terms))
    assert_close(packed(part), plain(part), rounding(terms))
    assert_close(packed(x, x), plain(x, x), rounding(terms))
    assert (plain(x) < 0).any() != relu


@pytest.mark.parametrize("form", ["plain", pytest.param("packed", marks=needs_packing)])
@pytest.mark.parametrize(("size", "dilation"), [((3, 7), (1, 2)), ((1, 5), (1, 9))])
def test_a_product_is_the_convolution_of_what_is_wanted(size, dilation, form: str) -> None:
    """With as many zeros as the layer pads all of it, with fewer the inside."""
    torch.manual_seed(3)
    plain = ImageConvolution(12, 4, size, dilation).requires_grad_(False)
    layer = plain if form == "plain" else PackedImageConvolution(plain)
    x, add = torch.randn(2, 9, 40, 12), torch.randn(2, 9, 40, 4)
    high, wide = (step * (taps // 2) for taps, step in zip(size, dilation, strict=True))
    expected, terms = plain(x, add).permute(0, 3, 1, 2), 12 * size[0] * size[1]
    image, more = x.permute(0, 3, 1, 2), add.permute(0, 3, 1, 2)
    found = image_product(image, layer, Margins(high, high, wide, wide), more)
    assert_close(found, expected, rounding(terms))
    inside = expected[:, :, high:, : 40 - wide]
    found = image_product(image, layer, Margins(0, high, wide, 0), more[:, :, high:, : 40 - wide])
    assert_close(found, inside, rounding(terms))
