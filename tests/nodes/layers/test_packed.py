"""Every way to the same product gives it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers import packed
from voicegraph.nodes.layers.packed import GroupedConvolution, Linear, can_pack

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("x86", [True, False])
@pytest.mark.parametrize("gelu", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_linear(x86: bool, gelu: bool, biased: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_X86", x86 and packed._X86)
    x, weight, bias = _noise(37, 24), _noise(40, 24), _noise(40) if biased else None
    y = functional.linear(x.double(), weight.double(), None if bias is None else bias.double())
    expected = functional.gelu(y) if gelu else y
    assert_close(Linear(weight, bias, gelu)(x).double(), expected, rounding(24))


@pytest.mark.parametrize("way", ["packed", "plain", "product"])
@pytest.mark.parametrize("taps", [1, 15, 16])
@pytest.mark.parametrize("frames", [1, 9, 40])
def test_grouped_convolution(
    way: str, taps: int, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_X86", way == "packed" and packed._X86)
    x, weight, bias = _noise(3, frames, 24), _noise(24, 6, taps), _noise(24)
    y = functional.conv1d(
        x.double().transpose(1, 2), weight.double(), bias.double(), padding=taps // 2, groups=4
    )
    expected = functional.gelu(y[:, :, :frames]).transpose(1, 2)
    found = GroupedConvolution(weight, bias, way == "product" or None)(x)
    assert_close(found.double(), expected, rounding(6 * taps))


def test_only_float32_on_the_processor_is_packed() -> None:
    assert not can_pack(CPU, torch.float16)
    assert not can_pack(CPU, torch.bfloat16)
    assert not can_pack(torch.device("meta"), torch.float32)


def test_an_older_torch_without_the_operators_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_OPERATORS", ("_no_such_operator",))
    assert not can_pack(CPU, torch.float32)
