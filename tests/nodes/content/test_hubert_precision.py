"""The encoder in bfloat16 and int8: as near to float32 as their rounding allows, whole and live."""

from __future__ import annotations

import math

import pytest
import torch

from voicegraph.nodes.content._hubert_network import HubertNetwork
from voicegraph.nodes.content._hubert_stream import STEP, HubertStream
from voicegraph.nodes.content._hubert_weights import assemble
from voicegraph.nodes.content.hubert_example import SIZES, tensors
from voicegraph.nodes.layers.form import PACKED_BFLOAT16, PACKED_INT8, Form
from voicegraph.nodes.layers.int8_linear import can_quantise, input_peak
from voicegraph.nodes.layers.network import form_for, into_form
from voicegraph.nodes.layers.packed import can_pack

from ...tolerance import ROUNDOFF, assert_snr

CPU = torch.device("cpu")
LAYERS = 2
FORMS = [
    pytest.param(
        PACKED_BFLOAT16,
        marks=pytest.mark.skipif(not can_pack(CPU, torch.bfloat16), reason="needs bfloat16"),
        id="bfloat16",
    ),
    pytest.param(
        PACKED_INT8,
        marks=pytest.mark.skipif(not can_quantise(CPU), reason="needs products of int8"),
        id="int8",
    ),
]
ROUNDINGS = 7 + 3 + 6 * LAYERS
"""In a row: seven convolutions, four steps to the layers less one that is float32, and in a layer
its input, queries and keys, what attention gives, and the three products after it."""
pytestmark = pytest.mark.numeric


def _network(form: Form | None = None) -> HubertNetwork:
    plain = assemble(tensors(), SIZES, LAYERS, False)
    return plain if form is None else into_form(plain, CPU, form)


def _noise(frames: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(frames)
    count = frames * STEP + SIZES.field - STEP
    return 0.1 * torch.randn(1, count, generator=chance)


def _least_snr(form: Form) -> float:
    """As ``assert_rounded`` has it. A step of int8 is uniform, a row's peak is four deviations."""
    once = ROUNDOFF[torch.bfloat16] if form is PACKED_BFLOAT16 else 4 / input_peak() / 12**0.5
    return -20 * math.log10(4 * once * math.sqrt(ROUNDINGS))


@pytest.mark.parametrize("form", FORMS)
def test_a_window_is_that_of_float32(form: Form) -> None:
    audio = _noise(40)
    found = _network(form)(audio)
    assert found.dtype is torch.float32
    assert_snr(found, _network()(audio), _least_snr(form), f"{ROUNDINGS} roundings to {form}")


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_is_that_of_float32(form: Form) -> None:
    audio, block = _noise(42), 7
    narrow = HubertStream(_network(form), 20, 6, block)
    exact = HubertStream(_network(), 20, 6, block)
    states = narrow.begin(1), exact.begin(1)
    for first in range(0, 42, block):
        call = audio[:, first * STEP : (first + block) * STEP + SIZES.field - STEP]
        found, expected = narrow(call, states[0]), exact(call, states[1])
        assert_snr(found, expected, _least_snr(form), f"{ROUNDINGS} roundings to {form}")


def test_keys_and_values_are_remembered_as_the_products_give_them() -> None:
    network = _network(form_for(HubertNetwork, CPU, torch.bfloat16))
    state = HubertStream(network, 20, 6, 7).begin(1)
    assert state.pairs.dtype is torch.bfloat16
    assert state.projected.dtype is network.dtype
