"""The text encoder with a memory, and the flow at the beginning of a stream."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._flow import REACH
from voicegraph.nodes.synth._weight_norm import fold
from voicegraph.nodes.synth.network import VoiceNetwork
from voicegraph.nodes.synth.streaming_network import StreamingNetwork, StreamSpan, StreamTensors
from voicegraph.schemas.voice_card import VoiceConfig

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")
NEW = 5
EVEN = [*rvc_example.CONFIG[:7], 4, *rvc_example.CONFIG[8:]]
"""Convolutions with an even kernel, which reach further ahead than back."""


def _network(layers: int, base: list[Any] = rvc_example.CONFIG) -> VoiceNetwork:
    config = [*base[:6], layers, *base[7:]]
    made = VoiceNetwork(VoiceConfig.from_list(config), 768, True, rvc_example.SPEAKERS)
    made.load_state_dict(fold(rvc_example.weights(config, 768, True)))
    made.requires_grad_(False).fold()
    return made


def _given(frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    content = torch.randn(1, 100, 768, generator=generator)
    bins = torch.randint(1, 256, (1, 100), generator=generator)
    return content[:, :frames], bins[:, :frames]


def _latents(network: StreamingNetwork, span: StreamSpan, calls: int) -> list[torch.Tensor]:
    """The latents of each call, ``[channels, new]``; what lies before the stream is not 0."""
    content, bins = _given(calls * NEW)
    before = span.again
    content = torch.cat((torch.full((1, before, 768), 3.0), content), 1)
    bins = torch.cat((torch.full((1, before), 7), bins), 1)
    held: StreamTensors = network.empty(span, 1, CPU)
    made = []
    for call in range(calls):
        part = slice(call * NEW, call * NEW + before + NEW)
        z = network.latents(content[:, part], bins[:, part], 1, span, None, held)
        made.append(z[0].clone())
        held.position.add_(NEW)
    return made


def _whole(network: VoiceNetwork, frames: int, first: int, ahead: int) -> torch.Tensor:
    """Latents of ``NEW`` frames from ``first`` on, of which the first ``frames`` are known."""
    content, bins = _given(frames)
    mean, _ = network.enc_p(content, bins, 0)
    return network.flow(mean.clone(), network.flow_biases[1], first, frames - first - ahead)[0]


@pytest.mark.parametrize("base", [rvc_example.CONFIG, EVEN], ids=["odd kernel", "even kernel"])
@pytest.mark.parametrize("again", [0, 3, 12, 40])
@pytest.mark.parametrize("ahead", [0, 2])
def test_keys_of_one_layer_are_as_good_as_computed_again(
    base: list[Any], again: int, ahead: int
) -> None:
    """Of a single layer, keys and values do not depend on other frames.

    Only the last frames before the ones that are computed again lack what their convolutions, and
    those of the prior that is remembered, would have had of the next block.
    """
    again = max(again, ahead)
    span = StreamSpan(NEW, again, 60 - again, ahead)
    calls = 12
    with torch.inference_mode():
        found = _latents(StreamingNetwork(_network(1, base)), span, calls)
        whole = _network(1, base)
        for call in range(calls):
            known = (call + 1) * NEW
            first = call * NEW - ahead
            if again < REACH + ahead + whole.enc_p.encoder.reach and call:
                continue  # an approximation, which the next test looks at
            expected = _whole(whole, known, max(first, 0), ahead)
            assert_close(found[call][:, -expected.shape[1] :], expected, SMALL_NETWORK)


def test_what_is_remembered_was_computed_with_less_of_the_future() -> None:
    """Of two layers: near to computing all again, nearer the more is computed again."""
    calls, spread = 12, []
    whole = _network(2)
    with torch.inference_mode():
        expected = _whole(whole, calls * NEW, (calls - 1) * NEW, 0)
        for again in (0, 12, 60):
            span = StreamSpan(NEW, again, 60 - again, 0)
            found = _latents(StreamingNetwork(_network(2)), span, calls)[-1]
            spread.append(float((found - expected).norm() / expected.norm()))
    assert spread[0] > spread[1] > spread[2]
    assert spread[0] < 0.5
    assert spread[2] < 1e-5


def test_frames_beyond_the_memory_are_forgotten() -> None:
    """With 20 frames before the block, what came before them changes nothing."""
    network, span = StreamingNetwork(_network(1)), StreamSpan(NEW, 8, 12, 0)
    held = [network.empty(span, 1, CPU) for _ in range(2)]
    content, bins = _given(100)
    other = content.clone()
    other[:, :30] += 1
    made = []
    with torch.inference_mode():
        for given, memory in zip((content, other), held, strict=True):
            for at in range(0, 80, NEW):
                part = slice(at, at + 8 + NEW)
                z = network.latents(given[:, part], bins[:, part], 0, span, None, memory)
                memory.position.add_(NEW)
            made.append(z)
    assert_close(made[0], made[1], SMALL_NETWORK)


def test_without_a_memory_all_frames_are_computed_again() -> None:
    """``recompute: null`` is the text encoder of ``synth.rvc`` on the same frames."""
    span, calls = StreamSpan(NEW, 60, 0, 1), 12
    with torch.inference_mode():
        found = _latents(StreamingNetwork(_network(2)), span, calls)
        for call in (0, 3, calls - 1):
            known = (call + 1) * NEW
            expected = _whole(_network(2), known, max(call * NEW - 1, 0), 1)
            assert_close(found[call][:, -expected.shape[1] :], expected, SMALL_NETWORK)
