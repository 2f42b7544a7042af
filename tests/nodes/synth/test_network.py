"""The networks: what is left out of a window changes nothing."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._attention import Attention
from voicegraph.nodes.synth._flow import REACH, Coupling, Flow
from voicegraph.nodes.synth._source import add_noise, sine
from voicegraph.nodes.synth._text_encoder import Encoder
from voicegraph.nodes.synth._weight_norm import fold, folded_shapes
from voicegraph.nodes.synth.network import VoiceNetwork, Window
from voicegraph.schemas.voice_card import VoiceConfig

from ...tolerance import INAUDIBLE, SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric


def _drawn(module: torch.nn.Module, seed: int = 1) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter.requires_grad_(False), std=0.3, generator=generator)


def _network() -> VoiceNetwork:
    config = VoiceConfig.from_list(rvc_example.CONFIG)
    network = VoiceNetwork(config, 768, True, rvc_example.SPEAKERS)
    weights = rvc_example.weights(rvc_example.CONFIG, 768, f0=True)
    network.load_state_dict(fold(weights))
    network.requires_grad_(False).fold()
    return network


@pytest.mark.parametrize("frames", [1, 3, 12, 40])
@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_the_published_formula(frames: int, heads: int) -> None:
    """Shaw et al., equations 3 and 4, pair by pair."""
    attention = Attention(8, heads, 4)
    _drawn(attention)
    x = torch.randn(2, frames, 8, generator=torch.Generator().manual_seed(2))
    q, k, v = (
        functional.linear(x, conv.weight[:, :, 0], conv.bias).unflatten(2, (heads, -1))
        for conv in (attention.conv_q, attention.conv_k, attention.conv_v)
    )
    found = torch.zeros(2, frames, heads, 8 // heads)
    for i in range(frames):
        far = torch.arange(frames) - i
        near = (far.abs() <= 4)[None, :, None, None]
        key = attention.emb_rel_k[0][far.clamp(-4, 4) + 4][None, :, None] * near
        value = attention.emb_rel_v[0][far.clamp(-4, 4) + 4][None, :, None] * near
        scores = (q[:, i : i + 1] * (k + key)).sum(-1) / math.sqrt(8 // heads)
        found[:, i] = (scores.softmax(1)[..., None] * (v + value)).sum(1)
    out = attention.conv_o
    expected = functional.linear(found.flatten(2), out.weight[:, :, 0], out.bias)
    assert_close(attention(x, 0), expected, SMALL_NETWORK)
    first = frames // 2
    assert_close(attention(x, first), expected[:, first:], SMALL_NETWORK)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 20, 39])
def test_the_last_layer_is_made_where_it_is_wanted(first: int) -> None:
    encoder = Encoder(8, 12, 2, 3, 3)
    _drawn(encoder)
    x = torch.randn(1, 40, 8, generator=torch.Generator().manual_seed(3))
    assert_close(encoder(x, first), encoder(x, 0)[:, first:], SMALL_NETWORK)


@settings(max_examples=20)
@given(start=st.integers(0, 60), count=st.integers(1, 40), after=st.integers(0, 40))
def test_the_flow_leaves_out_what_is_out_of_reach(start: int, count: int, after: int) -> None:
    flow = Flow(6, 8, 4)
    _drawn(flow)
    biases = flow.fold(torch.randn(1, 4, generator=torch.Generator().manual_seed(4)))[0]
    frames = start + count + after
    z = torch.randn(1, 6, frames, generator=torch.Generator().manual_seed(5))
    whole = flow(z.clone(), biases, 0, frames)[:, :, start : start + count]
    assert_close(flow(z.clone(), biases, start, count), whole, SMALL_NETWORK)


def test_the_flow_is_couplings_and_reversals() -> None:
    """As published: reverse the channels, then shift the second half by a function of the first."""
    flow = Flow(6, 8, 4)
    _drawn(flow)
    speaker = torch.randn(1, 4, generator=torch.Generator().manual_seed(6))
    z = torch.randn(1, 6, 50, generator=torch.Generator().manual_seed(7))
    x = z.clone()
    for coupling in reversed(flow.flows):
        if not isinstance(coupling, Coupling):
            continue
        x = x.flip(1)
        shift = coupling(x[:, :3], coupling.enc.biases(speaker)[0])
        x = torch.cat([x[:, :3], x[:, 3:] - shift], 1)
    biases = flow.fold(speaker)[0]
    assert_close(flow(z.clone(), biases, 0, 50), x, SMALL_NETWORK)


@pytest.mark.parametrize(("skip", "count", "after"), [(60, 10, 0), (60, 10, 40), (10, 5, 3)])
def test_a_window_hears_its_context(skip: int, count: int, after: int) -> None:
    """The prior is that of all frames, and no frame beyond the flow's reach is worked on."""
    network = _network()
    frames = skip + count + after
    generator = torch.Generator().manual_seed(8)
    content = torch.randn(1, frames, 768, generator=generator)
    f0 = torch.rand(1, frames, generator=generator) * 100 + 100
    bins = torch.full((1, frames), 40)
    window = Window(skip, count)
    wave = network.source(f0[:, skip : skip + count])
    found = network(content, bins, wave, 1, window)
    assert window.prior_frames(frames) == min(skip, REACH) + count + min(after, REACH)

    mean, _ = network.enc_p(content, bins, 0)
    z = network.flow(mean.clone(), network.flow_biases[1], 0, frames)[:, :, skip : skip + count]
    expected = network.dec(z, network.dec.m_source(wave), network.decoder_biases[1])
    assert_close(found, expected, SMALL_NETWORK)


def test_the_source_has_f0_and_silence_where_unvoiced() -> None:
    f0 = torch.tensor([[200.0] * 50 + [0.0] * 50])
    wave = sine(f0, 160, 16000)
    assert wave.shape == (1, 16000)
    assert (wave[:, 8000:] == 0).all()
    time = torch.arange(1, 8001) / 16000
    expected = 0.1 * torch.sin(2 * torch.pi * 200 * time.double())
    assert_close(wave[0, :8000].double(), expected, INAUDIBLE)


def test_the_phase_goes_on_where_f0_moves() -> None:
    f0 = torch.linspace(80, 400, 100)[None]
    wave = sine(f0, 480, 48000)
    fastest = 0.1 * 2 * torch.pi * 400 / 48000
    assert wave.diff().abs().max() < fastest * 1.02


def test_noise_is_faint_where_voiced() -> None:
    f0 = torch.tensor([[200.0, 0.0]])
    noise = torch.ones(1, 20)
    made = add_noise(torch.zeros(1, 20), f0, noise, 0.5)
    expected = torch.tensor([0.0015] * 10 + [0.1 / 6] * 10)[None]
    assert_close(made, expected, SMALL_NETWORK)


@pytest.mark.parametrize(
    ("scale", "direction"),
    [
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ],
)
def test_weight_norm_is_folded(scale: str, direction: str) -> None:
    """Over all axes but the first, of transposed convolutions, too: as torch does it."""
    generator = torch.Generator().manual_seed(9)
    g = torch.rand(4, 1, 1, generator=generator) + 0.5
    v = torch.randn(4, 3, 5, generator=generator)
    given = {f"dec.ups.0.{scale}": g, f"dec.ups.0.{direction}": v, "dec.ups.0.bias": torch.ones(3)}
    found = fold(given)
    assert found.keys() == {"dec.ups.0.weight", "dec.ups.0.bias"}
    expected = torch.stack([g[i] * v[i] / v[i].norm() for i in range(4)])
    assert_close(found["dec.ups.0.weight"], expected, SMALL_NETWORK)
    shapes = folded_shapes({name: tuple(tensor.shape) for name, tensor in given.items()})
    assert shapes == {name: tuple(tensor.shape) for name, tensor in found.items()}


def test_a_lone_half_of_a_weight_norm_stays() -> None:
    assert fold({"a.weight_g": torch.ones(2, 1, 1)}).keys() == {"a.weight_g"}
