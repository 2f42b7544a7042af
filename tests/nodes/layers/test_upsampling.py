"""Transposed convolutions as convolutions: those of PyTorch, with every rate and kernel."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.layers.upsampling import Upsampling, transposed_padding

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

SIZES = [
    *((2, 4), (7, 14), (3, 6), (5, 10), (5, 9), (1, 3), (10, 16), (8, 14), (4, 4), (9, 18), (3, 3)),
    *((3, 7), (7, 20), (4, 9)),
]
"""Rate and taps: even and odd, with an even, an odd and no surplus of taps."""


@pytest.mark.parametrize(("rate", "taps"), SIZES)
@pytest.mark.parametrize("frames", [1, 2, 13])
def test_output_is_rate_times_the_input(rate: int, taps: int, frames: int) -> None:
    padding, output_padding = transposed_padding(rate, taps)
    found = functional.conv_transpose1d(
        torch.ones(1, 1, frames), torch.ones(1, 1, taps), None, rate, padding, output_padding
    )
    assert found.shape[2] == frames * rate


def test_gaps_between_frames_are_an_error() -> None:
    with pytest.raises(ValueError, match="leaves gaps at rate 5"):
        transposed_padding(5, 4)


@pytest.mark.skipif(
    not can_pack(torch.device("cpu"), torch.float32), reason="needs oneDNN's own operators on x86"
)
@pytest.mark.parametrize(("rate", "taps"), SIZES)
@pytest.mark.parametrize(("streams", "frames"), [(1, 1), (1, 9), (3, 4)])
def test_packed_layer_is_pytorchs(rate: int, taps: int, streams: int, frames: int) -> None:
    chance = torch.Generator().manual_seed(rate * taps)
    weight, bias = torch.randn(6, 4, taps, generator=chance), torch.randn(4, generator=chance)
    x = torch.randn(streams, 6, frames, generator=chance)
    padding = transposed_padding(rate, taps)
    expected = functional.conv_transpose1d(x, weight, bias, rate, *padding)
    found = Upsampling(weight, bias, rate, *padding)(x.transpose(1, 2))
    assert_close(found.transpose(1, 2), expected, rounding(6 * taps))
