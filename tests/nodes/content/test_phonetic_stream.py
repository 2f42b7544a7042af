"""Steps of a stream against their definition, in any company and in blocks of any size."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.signals import Audio
from voicegraph.nodes.content._phonetic_example import SIZES, tensors
from voicegraph.nodes.content.phonetic_file import load_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import (
    AFTER,
    BEFORE,
    PhoneticStream,
    PhoneticStreamState,
)

from ...tolerance import SMALL_NETWORK, assert_close, assert_rounded

pytestmark = pytest.mark.numeric

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "pipelines" / "models" / "phonetic.safetensors"
TEACHER = ROOT / "tests" / "data" / "reference" / "hama.safetensors"
LEAD = 10
"""Frames of silence before the stream, for the definition."""


def _network(taps: int = SIZES.taps) -> PhoneticNetwork:
    sizes = replace(SIZES, taps=taps)
    made = PhoneticNetwork(sizes).eval().requires_grad_(False)
    made.load_state_dict(tensors(sizes))
    return made


NETWORK = _network()


def _noise(frames: int, seed: int = 5) -> torch.Tensor:
    """Sound from the first frame's centre on, for so many steps."""
    made = torch.randn(320 * frames, generator=torch.Generator().manual_seed(seed))
    return made * torch.linspace(0.01, 0.3, 320 * frames)


def _run(
    stream: PhoneticStream,
    audio: torch.Tensor,
    blocks: list[int],
    state: PhoneticStreamState | None = None,
) -> torch.Tensor:
    """Steps from frame 0 on: ``[streams, samples]`` in blocks of so many steps."""
    state = state or stream.begin(len(audio))
    audio = functional.pad(audio, (BEFORE, 0))
    made, first = [], 0
    for count in blocks:
        cut = audio[:, 320 * first :][:, : BEFORE + 320 * (count - 1) + AFTER]
        made.append(stream(cut, state))
        first += count
    return torch.cat(made, 1)


def _stem(network: PhoneticNetwork, audio: torch.Tensor) -> torch.Tensor:
    """What enters the first block, ``[frames, hidden]``, of silence and then the audio."""
    padded = functional.pad(audio, (320 * LEAD, 0))[None]
    return functional.gelu(network.stem(network.log_mel(padded)))[0].T[LEAD:]


def _attended(attention: Any, query: torch.Tensor, pairs: list[torch.Tensor]) -> torch.Tensor:
    """One query ``[hidden]`` over keys and values ``[2 hidden]``."""
    hidden, heads = len(query), attention.heads
    seen = torch.stack(pairs)
    keys, values = seen[:, :hidden], seen[:, hidden:]
    made = []
    for part in torch.arange(hidden).view(heads, -1):
        score = keys[:, part] @ query[part] / len(part) ** 0.5
        made.append(score.softmax(0) @ values[:, part])
    return torch.cat(made)


def _defined(
    network: PhoneticNetwork, audio: torch.Tensor, layer: int, past: int, settle: int, ahead: int
) -> torch.Tensor:
    """Frames one by one, each by its definition; those that do not exist are in no list."""
    whole = _stem(network, audio)
    held: list[list[torch.Tensor]] = [[] for _ in range(layer)]  # keys and values
    kept: list[list[torch.Tensor]] = [[] for _ in range(layer)]  # gated values
    made = []
    for newest in range(len(audio) // 320):
        edge = _stem(network, audio[: 320 * newest + 160])
        assert len(edge) == newest + 1
        first = max(0, newest - settle)
        x = torch.cat((whole[first:newest], edge[newest:]))
        for number, block in enumerate(network.blocks[:layer]):
            x, pairs, gated = _block(block, x, held[number][-past:], kept[number])
            if newest >= settle:
                held[number].append(pairs[0])
                kept[number].append(gated[0])
        if newest >= ahead:
            made.append(x[newest - ahead - first])
    return torch.stack(made)


def _block(
    block: Any, x: torch.Tensor, held: list[torch.Tensor], kept: list[torch.Tensor]
) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    x = x + 0.5 * block.before(x)
    hidden = x.shape[1]
    parts = block.attention.inputs(block.attention.norm(x))
    pairs = list(parts[:, hidden:])
    heard = [_attended(block.attention, query, held + pairs) for query in parts[:, :hidden]]
    x = x + block.attention.output(torch.stack(heard))
    own = block.convolution
    gated = list(functional.glu(own.gate(own.norm(x)), -1))
    weight, line = own.depth.weight[:, 0], kept + gated
    mixed = []
    for place in range(len(kept), len(line)):
        total = own.depth.bias.clone()
        for tap in range(weight.shape[1]):
            at = place + tap - weight.shape[1] // 2
            if 0 <= at < len(line):
                total += weight[:, tap] * line[at]
        mixed.append(total)
    x = x + own.output(functional.silu(torch.stack(mixed)))
    return block.norm(x + 0.5 * block.after(x)), pairs, gated


@pytest.mark.parametrize(
    ("layer", "past", "settle", "ahead", "taps"),
    [(3, 4, 3, 2, 5), (2, 30, 8, 3, 5), (1, 1, 1, 1, 5), (2, 3, 4, 4, 1), (2, 5, 2, 1, 4)],
)
def test_steps_are_as_defined(layer: int, past: int, settle: int, ahead: int, taps: int) -> None:
    network, audio = _network(taps), _noise(14)
    expected = _defined(network, audio, layer, past, settle, ahead)
    stream = PhoneticStream(network, layer, past, settle, ahead)
    found = _run(stream, audio[None], [14])[0, ahead:]
    assert_close(found, expected, SMALL_NETWORK)
    alone = _run(stream, audio[None], [1] * 14)[0, ahead:]
    assert_close(alone, expected, SMALL_NETWORK)


@given(blocks=st.lists(st.integers(1, 40), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_blocks_of_any_size_give_the_same(blocks: list[int]) -> None:
    stream, count = PhoneticStream(NETWORK, 3, 20, 5, 2), sum(blocks)
    audio = torch.stack((_noise(count), _noise(count, 6)))
    state, other = stream.begin(2), stream.begin(2)
    found, expected = _run(stream, audio, blocks, state), _run(stream, audio, [count], other)
    assert_close(found, expected, SMALL_NETWORK)
    for name, tensor in state.tensors().items():
        assert_close(tensor, other.tensors()[name], SMALL_NETWORK)
    assert state.heard.tolist() == [count, count]


def test_streams_that_began_apart_are_as_alone() -> None:
    stream, frames = PhoneticStream(NETWORK, 3, 6, 4, 2), 20
    audio = torch.stack((_noise(frames), _noise(frames, 6)))
    late = functional.pad(audio[1], (320 * 7, 0))[: 320 * frames]
    state = stream.begin(2)
    state.heard[1] = -7
    found = _run(stream, torch.stack((audio[0], late)), [1, 4, 15], state)
    expected = _run(stream, audio, [frames])
    assert_close(found[0], expected[0], SMALL_NETWORK)
    # Of a stream's own first frames on: those before it are given at its first steps.
    assert_close(found[1, 7 + 2 :], expected[1, 2 : frames - 7], SMALL_NETWORK)
    assert found.isfinite().all()


def test_a_frame_is_given_once_it_has_heard_what_is_ahead() -> None:
    stream = PhoneticStream(NETWORK, 2, 6, 5, 3)
    audio = _noise(24)[None]
    for change in (320 * 15 + 160, 320 * 15 + 159):
        changed = audio.clone()
        changed[:, change:] = 0
        same = (_run(stream, audio, [24]) == _run(stream, changed, [24])).all(-1)[0].tolist()
        assert same == [True] * 15 + [change == 320 * 15 + 160] + [False] * 8


def test_context_ends() -> None:
    """In one block a frame hears ``past`` settled ones and no more, but for the convolution."""
    stream = PhoneticStream(_network(1), 1, 6, 3, 1)
    audio = _noise(30)
    changed = audio.clone()
    changed[: 320 * 10 - 360] *= 0.5  # what frame 10 and later do not hear
    same = (_run(stream, audio[None], [30]) == _run(stream, changed[None], [30])).all(-1)[0]
    assert same[10 + 6 + 3 :].all()
    assert not same[: 10 + 6 + 3].any()


def test_whole_is_the_stream() -> None:
    stream = PhoneticStream(NETWORK, 3, 20, 5, 2)
    audio = _noise(30)[: 320 * 20 + 100]
    found = stream.whole(audio)
    assert found.shape == (21, SIZES.hidden)
    expected = _run(stream, functional.pad(audio, (0, 320 * 4))[None], [23])[0, 2:]
    assert_close(found, expected, SMALL_NETWORK)


def test_half_precision_is_near() -> None:
    audio = _noise(20)[None]
    expected = _run(PhoneticStream(NETWORK, 2, 6, 4, 2), audio, [20])
    stream = PhoneticStream(_network().to(torch.bfloat16), 2, 6, 4, 2)
    found = _run(stream, audio, [20])
    assert found.dtype is torch.float32
    # Five convolutions with norm and activation, and 14 steps in each of two layers.
    assert_rounded(found, expected, torch.bfloat16, 5 * 3 + 2 * 14)


@pytest.mark.parametrize(
    ("layer", "past", "settle", "ahead"),
    [(0, 5, 3, 1), (4, 5, 3, 1), (1, 0, 3, 1), (1, 5, 3, 4), (1, 5, 3, 0)],
)
def test_what_cannot_be(layer: int, past: int, settle: int, ahead: int) -> None:
    with pytest.raises(ValueError, match=r"no block|must be at least 1"):
        PhoneticStream(NETWORK, layer, past, settle, ahead)


def test_the_shipped_encoder_streams_what_its_teacher_makes_of_the_whole() -> None:
    speech = bundled_recording.speech(Audio(Fraction(16000), 1))[0]
    audio = torch.from_numpy(speech[: 4 * 16000].astype("float32"))
    teacher, shipped = load_phonetic(TEACHER), load_phonetic(SHIPPED)
    wanted = teacher(audio[None], 3)[0]

    def near(network: PhoneticNetwork) -> float:
        made = PhoneticStream(network, 3).whole(audio)
        mean, spread = wanted.mean(0), wanted.std(0)
        pair = ((one - mean) / spread for one in (made, wanted))
        return float(functional.cosine_similarity(*pair).mean())

    assert near(shipped) > 0.84
    assert near(teacher) < near(shipped) - 0.03
