"""Every way to the same product gives it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers import packed
from voicegraph.nodes.layers.linear import Linear
from voicegraph.nodes.layers.packed import PackedLinear, can_pack

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


def test_only_float32_and_bfloat16_on_the_processor_are_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not can_pack(CPU, torch.float16)
    assert not can_pack(torch.device("meta"), torch.float32)
    monkeypatch.setattr(packed, "has_bfloat16", lambda _device: False)
    assert not can_pack(CPU, torch.bfloat16)


def test_an_older_torch_without_the_operators_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_OPERATORS", ("_no_such_operator",))
    assert not can_pack(CPU, torch.float32)
