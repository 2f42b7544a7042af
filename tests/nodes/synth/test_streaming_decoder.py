"""The streaming decoder: what it makes is the decoding of the whole signal, in any blocks."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.nodes.layers.form import PACKED_FLOAT32, PLAIN_FLOAT32, Form
from voicegraph.nodes.layers.network import into_form
from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.layers.short_convolution import ShortConvolution
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._source import sine
from voicegraph.nodes.synth._stream_tails import StreamTails
from voicegraph.nodes.synth._streaming_decoder import StreamingDecoder
from voicegraph.nodes.synth._weight_norm import fold
from voicegraph.nodes.synth.network import VoiceNetwork
from voicegraph.nodes.synth.streaming_network import StreamingNetwork, lookahead_of
from voicegraph.schemas.voice_card import VoiceConfig

from ...tolerance import SAMPLES, SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")
FORMS = [PLAIN_FLOAT32] + ([PACKED_FLOAT32] if can_pack(CPU, torch.float32) else [])
ODD = [*rvc_example.CONFIG[:12], [7, 7, 3, 3], 16, [15, 11, 5, 3], 3, 6, 44100]
"""441 samples a frame, odd rates, with odd kernels and with kernels of exactly the rate."""
CONFIGS = {"paired": rvc_example.CONFIG, "single": rvc_example.SINGLE, "44100 Hz": ODD}
FRAMES = 40
RVC_48K: list[Any] = [
    1025, 32, 192, 192, 768, 2, 6, 3, 0, "1",
    [3, 7, 11], [[1, 3, 5], [1, 3, 5], [1, 3, 5]], [12, 10, 2, 2], 512, [24, 20, 4, 4],
    109, 256, 48000,
]  # fmt: skip


def _network(config: list[Any], f0: bool) -> VoiceNetwork:
    made = VoiceNetwork(VoiceConfig.from_list(config), 768, f0, rvc_example.SPEAKERS)
    made.load_state_dict(fold(rvc_example.weights(config, 768, f0)))
    made.requires_grad_(False).fold()
    return made


def _signal(network: VoiceNetwork, streams: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(streams, FRAMES, network.config.inter_channels, generator=generator)
    samples = FRAMES * math.prod(network.config.upsample_rates)
    source = 0.1 * torch.randn(streams, samples, generator=generator)
    return z, source if network.f0 else None


def _stream(
    decoder: StreamingDecoder,
    z: torch.Tensor,
    source: torch.Tensor | None,
    bias: torch.Tensor,
    blocks: list[int],
) -> torch.Tensor:
    """A signal in blocks of these numbers of frames; the rest in one."""
    held, made, at = torch.zeros(len(z), decoder.held), [], 0
    for count in [*blocks, FRAMES]:
        end = min(at + count, FRAMES)
        if end > at:
            position = torch.full((len(z),), at) if at < decoder.settled else None
            part = None if source is None else source[:, at * decoder.samples :]
            part = None if part is None else part[:, : (end - at) * decoder.samples]
            made.append(decoder(z[:, at:end], part, bias, StreamTails(held, position)))
        at = end
    return torch.cat(made, 1)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("short", [False, True], ids=["direct", "short"])
@pytest.mark.parametrize("f0", [True, False], ids=["pitch", "no pitch"])
@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=4)
@given(blocks=st.lists(st.integers(1, 15), max_size=20), streams=st.integers(1, 2))
def test_any_blocks_give_the_decoding_of_the_whole(
    form: Form, short: bool, f0: bool, name: str, blocks: list[int], streams: int
) -> None:
    """The reference is the plain decoder, which streams nothing and packs nothing."""
    whole, other = _network(CONFIGS[name], f0), _network(CONFIGS[name], f0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ShortConvolution, "is_faster", staticmethod(lambda channels, taps: short))
        decoder = into_form(StreamingNetwork(other), CPU, form).dec
    z, source = _signal(whole, streams)
    bias = whole.decoder_biases[1]
    with torch.inference_mode():
        expected = whole.dec(z.mT, None if source is None else source[:, None], bias)[:, 0]
        found = _stream(decoder, z, source, bias, blocks)
    late = decoder.lookahead
    assert not found[:, :late].any()
    assert_close(found[:, late:], expected[:, :-late], SMALL_NETWORK)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_lookahead_is_what_the_layers_need_and_no_sample_more(name: str) -> None:
    """Of the whole signal's decoding, the first sample that has a gradient at a frame.

    A gradient and no change of the frame: at the rim, that drowns in rounding.
    """
    network = _network(CONFIGS[name], f0=True).double()
    z, source = _signal(network, 1)
    assert source is not None
    z = z.double().requires_grad_()
    made = network.dec(z.mT, source.double()[:, None], network.decoder_biases[0])[0, 0]
    first = 20 * math.prod(network.config.upsample_rates) - lookahead_of(network.config, True)
    for sample, affected in ((first - 1, False), (first, True)):
        (slope,) = torch.autograd.grad(made[sample], z, retain_graph=True)
        assert bool(slope[:, 20].any()) is affected


def test_the_lookahead_of_rvcs_own_voices() -> None:
    """By hand, from the last stage to the first; see ``HiFi-GAN`` for the reaches.

    Three samples of ``conv_post``, 60 of the blocks of each stage (kernel 11, dilations 1, 3, 5),
    the half surplus of each transposed kernel, and three frames of ``conv_pre``.
    """
    by_hand = 3 * 480 + (6 + 60) * 40 + (5 + 60) * 4 + (1 + 60) * 2 + (1 + 60) + 3
    assert lookahead_of(VoiceConfig.from_list(RVC_48K), True) == by_hand == 4526


def test_streams_at_different_positions_are_decoded_together() -> None:
    """One stream at its beginning, the other in its middle."""
    network = _network(rvc_example.CONFIG, f0=True)
    decoder = StreamingNetwork(network).dec
    z, source = _signal(network, 2)
    assert source is not None
    bias = network.decoder_biases[0]
    samples = decoder.samples
    with torch.inference_mode():
        expected = _stream(decoder, z, source, bias, [8, 8])
        held = torch.zeros(2, decoder.held)
        alone = StreamTails(held[1:], torch.zeros(1, dtype=torch.int64))
        decoder(z[1:, :8], source[1:, : 8 * samples], bias, alone)
        both = StreamTails(held, torch.tensor([0, 8]))
        given_z = torch.stack((z[0, :8], z[1, 8:16]))
        given_source = torch.stack(
            (source[0, : 8 * samples], source[1, 8 * samples : 16 * samples])
        )
        found = decoder(given_z, given_source, bias, both)
    assert_close(found[0], expected[0, : 8 * samples], SMALL_NETWORK)
    assert_close(found[1], expected[1, 8 * samples : 16 * samples], SMALL_NETWORK)


@given(cuts=st.lists(st.integers(1, 29), max_size=6, unique=True))
def test_the_source_carries_its_phase_on(cuts: list[int]) -> None:
    generator = torch.Generator().manual_seed(2)
    f0 = 100 + 300 * torch.rand(2, 30, generator=generator)
    f0[:, 10:13] = 0
    phase = torch.zeros(2)
    ends = [0, *sorted(cuts), 30]
    made = [sine(f0[:, a:b], 160, 16000, phase) for a, b in itertools.pairwise(ends)]
    assert_close(torch.cat(made, 1), sine(f0, 160, 16000), SAMPLES)
