"""Every way to the same product gives it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers import packed
from voicegraph.nodes.layers.grouped_convolution import GroupedConvolution, grouped_product
from voicegraph.nodes.layers.linear import Linear
from voicegraph.nodes.layers.packed import PackedGroupedConvolution, PackedLinear, can_pack

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")
needs_packing = pytest.mark.skipif(
    not can_pack(CPU, torch.float32), reason="needs oneDNN's own operators on x86"
)


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@needs_packing
@pytest.mark.parametrize("gelu", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_linear(biased: bool, gelu: bool) -> None:
    plain = Linear(24, 40, biased, gelu).requires_grad_(False)
    x, weight, bias = _noise(37, 24), plain.weight.double(), plain.bias
    y = functional.linear(x.double(), weight, None if bias is None else bias.double())
    expected = functional.gelu(y) if gelu else y
    for layer in (plain, PackedLinear.of(plain)):
        assert_close(layer(x).double(), expected, rounding(24))


@needs_packing
@pytest.mark.parametrize("taps", [1, 15, 16])
@pytest.mark.parametrize("frames", [1, 9, 40])
def test_grouped_convolution(taps: int, frames: int) -> None:
    x, weight, bias = _noise(3, frames, 24), _noise(24, 6, taps), _noise(24)
    y = functional.conv1d(
        x.double().transpose(1, 2), weight.double(), bias.double(), padding=taps // 2, groups=4
    )[:, :, :frames].transpose(1, 2)
    plain = GroupedConvolution(24, 4, taps).requires_grad_(False)
    plain.weight.copy_(weight)
    plain.bias.copy_(bias)
    assert_close(grouped_product(x, weight, bias).double(), y, rounding(6 * taps))
    for layer in (plain, PackedGroupedConvolution(plain)):
        assert_close(layer(x).double(), functional.gelu(y), rounding(6 * taps))


def test_only_float32_and_bfloat16_on_the_processor_are_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not can_pack(CPU, torch.float16)
    assert not can_pack(torch.device("meta"), torch.float32)
    monkeypatch.setattr(packed, "_has_bfloat16", lambda: False)
    assert not can_pack(CPU, torch.bfloat16)


def test_an_older_torch_without_the_operators_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_OPERATORS", ("_no_such_operator",))
    assert not can_pack(CPU, torch.float32)
