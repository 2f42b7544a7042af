"""Packed layers in bfloat16: numbers rounded once on the way in and out, sums in float32."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.packed import PackedLinear, can_pack
from voicegraph.nodes.layers.upsampling import Upsampling

from ...tolerance import ROUNDOFF, Tolerance, assert_close

HALF = torch.bfloat16
pytestmark = [
    pytest.mark.skipif(not can_pack(torch.device("cpu"), HALF), reason="needs oneDNN in bfloat16"),
    pytest.mark.numeric,
]
ONCE = Tolerance(
    # Sums in float32 differ by far less, but a result may lie between two numbers.
    "one rounding to bfloat16, of numbers that were rounded before",
    relative=2 * ROUNDOFF[HALF],
    of_peak=ROUNDOFF[HALF] / 16,
)


def _noise(*shape: int) -> torch.Tensor:
    """Numbers that bfloat16 holds, so that rounding the input is no part of the error."""
    made = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))
    return made.to(HALF).float()


def _plain(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, dilation: int = 1
) -> torch.Tensor:
    padding = weight.shape[2] // 2 * dilation
    given = (x.transpose(1, 2).double(), weight.double(), bias.double())
    return functional.conv1d(*given, 1, padding, dilation).transpose(1, 2)


@pytest.mark.parametrize("given", [torch.float32, HALF])
@pytest.mark.parametrize("gelu", [True, False])
@pytest.mark.parametrize("rows", [1, 12, 24, 140])
def test_linear(rows: int, gelu: bool, given: torch.dtype) -> None:
    x, weight, bias = _noise(rows, 96), _noise(80, 96), _noise(80)
    y = functional.linear(x.double(), weight.double(), bias.double())
    found = PackedLinear(weight.to(HALF), bias, gelu)(x.to(given))
    assert found.dtype is HALF
    assert_close(found, functional.gelu(y) if gelu else y, ONCE)


def test_linear_keeps_further_axes() -> None:
    x, weight = _noise(2, 5, 24), _noise(16, 24)
    found = PackedLinear(weight.to(HALF), None)(x)
    assert_close(found, x.double() @ weight.double().T, ONCE)


@pytest.mark.parametrize(("taps", "dilation"), [(1, 1), (3, 1), (7, 3), (11, 5)])
@pytest.mark.parametrize(("streams", "frames"), [(1, 1), (1, 40), (3, 17)])
def test_convolution(taps: int, dilation: int, streams: int, frames: int) -> None:
    weight, bias = _noise(24, 16, taps), _noise(24)
    x, other = _noise(streams, frames, 16), _noise(streams, frames, 24)
    expected = _plain(x, weight, bias, dilation)
    layer = Convolution(weight.to(HALF), bias, taps // 2 * dilation, dilation)
    assert layer(x).dtype is HALF
    assert_close(layer(x), expected, ONCE)
    assert_close(layer(x.to(HALF), add=other), expected + other, ONCE)
    assert_close(layer(x, bias=-bias), _plain(x, weight, -bias, dilation), ONCE)


def test_convolutions_of_many_lengths() -> None:
    weight, bias = _noise(384, 192, 5), _noise(384)
    layer = Convolution(weight.to(HALF), bias, 2)
    for frames in (5, 24, 31, 54, 300):
        x = _noise(1, frames, 192)
        assert_close(layer(x), _plain(x, weight, bias), ONCE)


@pytest.mark.parametrize(("taps", "rate"), [(24, 12), (16, 10), (5, 2)])
def test_upsampling(taps: int, rate: int) -> None:
    weight, bias, x = _noise(12, 8, taps), _noise(8), _noise(2, 9, 12)
    padding = (taps - rate) // 2
    found = Upsampling(weight.to(HALF), bias, rate, padding)(x)
    given = (x.transpose(1, 2).double(), weight.double(), bias.double())
    expected = functional.conv_transpose1d(*given, rate, padding).transpose(1, 2)
    assert_close(found, expected, ONCE)
