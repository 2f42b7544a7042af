"""Packed convolutions give what plain ones give, in any size."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers import convolution, packed
from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.layers.short_convolution import ShortConvolution, transforms
from voicegraph.nodes.layers.upsampling import Upsampling

from ...tolerance import Tolerance, assert_close, rounding

pytestmark = [
    pytest.mark.skipif(
        not can_pack(torch.device("cpu"), torch.float32),
        reason="needs oneDNN's own operators on x86",
    ),
    pytest.mark.numeric,
]


def _terms(weight: torch.Tensor) -> Tolerance:
    """Of a convolution: as many products as an output has weights, a bias, and what is added."""
    return rounding(weight[0].numel() + 2)


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def _plain(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, dilation: int = 1, groups: int = 1
) -> torch.Tensor:
    padding = weight.shape[2] // 2 * dilation
    given = (x.transpose(1, 2).double(), weight.double(), bias.double())
    return functional.conv1d(*given, 1, padding, dilation, groups).transpose(1, 2).float()


@pytest.mark.parametrize(("taps", "dilation", "groups"), [(1, 1, 1), (3, 1, 2), (7, 3, 1)])
@pytest.mark.parametrize(("streams", "frames"), [(1, 1), (1, 40), (3, 17)])
def test_convolution(taps: int, dilation: int, groups: int, streams: int, frames: int) -> None:
    weight, bias = _noise(24, 16 // groups, taps), _noise(24)
    x, other = _noise(streams, frames, 16), _noise(streams, frames, 24)
    sizes = (taps // 2 * dilation, dilation, groups)
    expected = _plain(x, weight, bias, dilation, groups)
    layer = Convolution(weight, bias, *sizes)
    assert_close(layer(x), expected, _terms(weight))
    assert_close(layer(x, add=other), expected + other, _terms(weight))
    turned = x.transpose(1, 2).contiguous().transpose(1, 2)
    assert_close(layer(turned, bias=bias + 1), expected + 1, _terms(weight))
    rectified = Convolution(weight, bias, *sizes, after="leaky_relu", slope=0.1)(x)
    assert_close(rectified, functional.leaky_relu(expected, 0.1), _terms(weight))


def test_one_output() -> None:
    weight, bias, x = _noise(1, 16, 7), _noise(1), _noise(2, 30, 16)
    assert_close(Convolution(weight, bias, 3)(x), _plain(x, weight, bias), _terms(weight))


def test_a_weight_is_held_once_for_each_order() -> None:
    weight, bias = _noise(384, 192, 5), _noise(384)
    layer = Convolution(weight, bias, 2)
    for frames in (5, 30, 31, 54, 300, 301, 302):
        x = _noise(1, frames, 192)
        expected = _plain(x, weight, bias)
        assert_close(layer(x), expected, _terms(weight))
        assert_close(layer(x), expected, _terms(weight))
    assert len(layer.orders) < 4 < len(layer.chosen)


def test_an_order_that_is_there_is_not_laid_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And layers of one shape ask for it but once: a formant moves in the time of one block."""
    asked: list[list[int]] = []
    real = packed.pack_convolution

    def counts(*args: Any) -> torch.Tensor:
        asked.append(args[-1])
        return real(*args)

    monkeypatch.setattr(packed, "pack_convolution", counts)
    monkeypatch.setattr(convolution, "pack_convolution", counts)
    one, other = (Convolution(_noise(48, 40, 3) + n, None, 1) for n in range(2))
    asked.clear()
    packed._order_for.cache_clear()
    sizes = (301, 302, 303)
    for layer in (one, other):
        for frames in (*sizes, *sizes):
            x = _noise(1, frames, 40)
            weight = _noise(48, 40, 3) + (layer is other)
            expected = _plain(x, weight, torch.zeros(48))
            assert_close(layer(x), expected, _terms(weight))
    laid_out = sum(len(layer.orders) - 1 for layer in (one, other))
    assert len(asked) == len(sizes) + laid_out


@pytest.mark.parametrize("taps", [1, 3, 5, 7, 11])
@pytest.mark.parametrize("dilation", [1, 3, 5])
@pytest.mark.parametrize(("streams", "frames"), [(1, 1), (1, 7), (1, 40), (3, 41)])
def test_short_convolution(taps: int, dilation: int, streams: int, frames: int) -> None:
    weight, bias, x = _noise(24, 16, taps) / 4, _noise(24), _noise(streams, frames, 16)
    found = ShortConvolution(weight, bias, dilation, 0.1)(x)
    expected = _plain(functional.leaky_relu(x, 0.1), weight, bias, dilation)
    # Transforms of seven values, twice, take the place of single products.
    assert_close(found, expected, rounding(7 * (16 * taps + 2)))


def test_transforms_are_exact() -> None:
    to_values, kernel_to_values, to_frames = transforms()
    x, kernel = _noise(7).double(), _noise(4).double()
    found = to_frames @ ((to_values @ x) * (kernel_to_values @ kernel))
    assert_close(found, x.unfold(0, 4, 1) @ kernel, rounding(1000, torch.float64))


@pytest.mark.parametrize(("taps", "rate"), [(24, 12), (16, 10), (4, 2), (3, 1), (5, 2)])
@pytest.mark.parametrize(("streams", "frames"), [(1, 1), (2, 9)])
def test_upsampling(taps: int, rate: int, streams: int, frames: int) -> None:
    weight, bias, x = _noise(8, 6, taps), _noise(6), _noise(streams, frames, 8)
    padding = (taps - rate) // 2
    expected = functional.conv_transpose1d(
        x.transpose(1, 2).double(), weight.double(), bias.double(), rate, padding
    )
    found = Upsampling(weight, bias, rate, padding)(x)
    assert_close(found, expected.transpose(1, 2), rounding(8 * taps + 1))
