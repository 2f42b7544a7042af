"""Products with weights of 16 bits are those with the same numbers in 32."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers import half_linear
from voicegraph.nodes.layers.half_linear import HalfLinear, can_halve, linear_for_few_rows
from voicegraph.nodes.layers.packed import PackedLinear, can_pack

from ...tolerance import assert_close, rounding

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(
        not can_pack(torch.device("cpu"), torch.float32), reason="needs oneDNN's operators on x86"
    ),
]
AFTER = {"none": lambda y: y, "gelu": functional.gelu, "silu": functional.silu}


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("rows", [1, 5, 64, 65])
def test_is_the_product(rows: int, after: str) -> None:
    x, weight, bias = _noise(1, rows, 24), _noise(40, 24).half().float(), _noise(40)
    layer = linear_for_few_rows(weight, bias, after)
    expected = AFTER[after](functional.linear(x.double(), weight.double(), bias.double()))
    assert_close(layer(x).double(), expected, rounding(24))


@pytest.mark.skipif(not can_halve(torch.ones(1, 1)), reason="needs FBGEMM's operators")
def test_only_what_float16_holds_is_held_in_it() -> None:
    weight = _noise(40, 24)
    assert isinstance(linear_for_few_rows(weight.half().float(), _noise(40)), HalfLinear)
    for other in (weight, weight.half().float() * 2.0**20):
        assert isinstance(linear_for_few_rows(other, _noise(40)), PackedLinear)


def test_without_the_operators_weights_stay_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_linear, "_has_operators", lambda: False)
    assert isinstance(linear_for_few_rows(torch.ones(40, 24), torch.zeros(40)), PackedLinear)
