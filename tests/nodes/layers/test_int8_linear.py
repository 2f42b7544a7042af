"""Products of 8-bit integers: exact sums of rounded numbers, row by row."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers import int8_linear
from voicegraph.nodes.layers.int8_linear import Int8Linear, can_quantise, input_peak
from voicegraph.nodes.layers.linear import Linear

from ...tolerance import Tolerance, assert_close, rounding

pytestmark = [
    pytest.mark.skipif(not can_quantise(torch.device("cpu")), reason="needs oneDNN on x86"),
    pytest.mark.numeric,
]


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def _on_the_grid(inputs: int, rows: int = 5, outputs: int = 16) -> tuple[torch.Tensor, ...]:
    """Inputs and weights that 8 bits hold exactly."""
    peak = input_peak()
    generator = torch.Generator().manual_seed(inputs)
    x = torch.randint(-peak, peak + 1, (rows, inputs), generator=generator).float()
    weight = torch.randint(-127, 128, (outputs, inputs), generator=generator).float()
    x[:, 0], weight[:, 0] = peak, 127
    return x / 8, weight / 32, _noise(outputs)


@pytest.mark.parametrize("inputs", [1, 7, 64, 3072])
@pytest.mark.parametrize("biased", [True, False])
def test_numbers_that_fit_are_multiplied_exactly(inputs: int, biased: bool) -> None:
    """With the largest inputs and weights, where sums in 16 bits would overflow."""
    x, weight, bias = _on_the_grid(inputs)
    found = Int8Linear(weight, bias if biased else None)(x)
    exact = functional.linear(x.double(), weight.double(), bias.double() if biased else None)
    assert_close(found, exact, rounding(4))  # the scales and the bias; the sum has no error


def test_all_inputs_at_their_peak_do_not_overflow() -> None:
    x, weight = torch.ones(2, 4096), torch.ones(16, 4096)
    assert_close(Int8Linear(weight, None)(x), torch.full((2, 16), 4096.0), rounding(4))
    assert_close(Int8Linear(-weight, None)(x), torch.full((2, 16), -4096.0), rounding(4))


@pytest.mark.parametrize("gelu", [True, False])
@pytest.mark.parametrize("rows", [1, 12, 24, 140])
def test_the_error_is_that_of_rounding_to_steps(gelu: bool, rows: int) -> None:
    """Half a step of inputs and weights, uniformly distributed, independent of one another."""
    inputs, outputs = 768, 96
    x, weight, bias = _noise(rows, inputs), _noise(outputs, inputs) / inputs**0.5, _noise(outputs)
    exact = functional.linear(x.double(), weight.double(), bias.double())
    of_inputs = x.abs().amax(1, keepdim=True) / input_peak() / 12**0.5 * weight.norm(dim=1)
    of_weights = x.norm(dim=1, keepdim=True) * (weight.abs().amax(1) / 127 / 12**0.5)
    # Five deviations: one of 13,440 values lies beyond with a probability of 1 %.
    spread = 5 * (of_inputs.square() + of_weights.square()).sqrt()
    if gelu:
        exact, spread = functional.gelu(exact), spread * 1.13  # its largest slope
    found = Int8Linear(weight, bias, gelu)(x)
    assert ((found - exact).abs() <= spread).all()


def test_a_row_does_not_depend_on_the_others() -> None:
    layer = Int8Linear(_noise(32, 48), _noise(32))
    x = _noise(9, 48)
    louder = torch.cat((x[:4], 1000 * x[4:]))
    assert torch.equal(layer(x)[:4], layer(louder)[:4])
    assert torch.equal(layer(x)[:1], layer(x[:1]))


def test_silence_is_the_bias() -> None:
    bias = _noise(32)
    assert torch.equal(Int8Linear(_noise(32, 48), bias)(torch.zeros(3, 48)), bias.expand(3, -1))


def test_rows_of_zeros_in_the_weight() -> None:
    weight = _noise(32, 48)
    weight[3] = 0
    assert (Int8Linear(weight, None)(_noise(3, 48))[:, 3] == 0).all()


def test_inputs_in_bfloat16_are_as_good_as_their_values() -> None:
    layer, x = Int8Linear(_noise(32, 48), _noise(32)), _noise(3, 48).bfloat16()
    found = layer(x)
    assert found.dtype is torch.float32
    step = Tolerance("a step of the inputs, rounded to the other side", of_peak=1 / 127)
    assert_close(found, layer(x.float()), step)


def test_a_plain_layer_is_replaced() -> None:
    plain = Linear(48, 32, gelu=True).requires_grad_(False)
    x = _noise(3, 48)
    wanted = Int8Linear(plain.weight, plain.bias, gelu=True)(x)
    assert torch.equal(Int8Linear.of(plain)(x), wanted)


def test_other_machines_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not can_quantise(torch.device("meta"))
    monkeypatch.setattr(int8_linear, "_OPERATORS", ("no_such_operator",))
    assert not can_quantise(torch.device("cpu"))
