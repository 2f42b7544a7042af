"""Convolutions over two axes, plain and packed."""

from __future__ import annotations

import pytest
import torch

from voicegraph.nodes.layers.image_convolution import ImageConvolution, PackedImageConvolution
from voicegraph.nodes.layers.packed import can_pack

from ...tolerance import assert_close, rounding

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(
        not can_pack(torch.device("cpu"), torch.float32), reason="no packed operators here"
    ),
]


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
