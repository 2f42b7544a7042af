"""Depthwise convolutions, plain and packed."""

from __future__ import annotations

import pytest
import torch

from voicegraph.nodes.layers.depthwise import DepthwiseConvolution, PackedDepthwiseConvolution
from voicegraph.nodes.layers.packed import can_pack

from ...tolerance import assert_close, rounding

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(
        not can_pack(torch.device("cpu"), torch.float32), reason="no packed operators here"
    ),
]


@pytest.mark.parametrize(("streams", "frames"), [(1, 1), (1, 5), (3, 2), (40, 60)])
def test_packed_is_as_plain_for_few_and_many_frames(streams: int, frames: int) -> None:
    torch.manual_seed(3)
    plain = DepthwiseConvolution(24, 7).requires_grad_(False)
    packed = PackedDepthwiseConvolution(plain)
    x = torch.randn(streams, frames + 6, 24)
    assert_close(packed(x), plain(x), rounding(7))


def test_a_part_of_longer_lines_is_taken_as_it_is() -> None:
    torch.manual_seed(4)
    plain = DepthwiseConvolution(24, 7).requires_grad_(False)
    packed = PackedDepthwiseConvolution(plain)
    x = torch.randn(2, 30, 24)[:, 5:17]
    assert_close(packed(x), plain(x), rounding(7))
