"""The stream of a HuBERT encoder against its definition, in blocks of any size."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from voicegraph.nodes.content._hubert_stream import STEP, HubertStream
from voicegraph.nodes.content._hubert_weights import assemble
from voicegraph.nodes.content.hubert_example import SIZES, tensors

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

Tensors = Mapping[str, torch.Tensor]
WEIGHTS = tensors()
EXTRA = SIZES.field - STEP
BLOCK = 7
NETWORKS = {project: assemble(WEIGHTS, SIZES, 2, project) for project in (False, True)}


def _noise(frames: int, seed: int = 1) -> torch.Tensor:
    """A little over so many frames, whose level changes and is not centred."""
    chance = torch.Generator().manual_seed(seed)
    count = frames * STEP + EXTRA
    level = torch.linspace(0, 20, count).sin().square() + 0.1
    return 0.1 * level * torch.randn(count, generator=chance) + 0.02


class Definition:
    """The stream of :mod:`_hubert_stream`, step by step and without any state but its results."""

    def __init__(self, audio: torch.Tensor, past: int, again: int, project: bool) -> None:
        self.audio, self.past, self.again, self.project = audio, past, again, project
        self.projected: list[torch.Tensor] = []
        self.pairs: list[dict[int, tuple[torch.Tensor, torch.Tensor]]] = [{}, {}]

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(x, WEIGHTS[f"{name}.weight"], WEIGHTS[f"{name}.bias"])

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(
            x, x.shape[-1:], WEIGHTS[f"{name}.weight"], WEIGHTS[f"{name}.bias"]
        )

    def _heard(self, first: int, end: int) -> torch.Tensor:
        return self.audio[first * STEP : end * STEP + EXTRA][None, None]

    def _convolved(self, new: int, end: int) -> torch.Tensor:
        kernel = WEIGHTS["convs.0.weight"]
        window = self._heard(max(0, end - self.past - self.again - BLOCK), end)
        over = functional.conv1d(window, kernel, stride=5)
        x = functional.conv1d(self._heard(end - new, end), kernel, stride=5)
        x = (x - over.mean(2, True)) / (over.var(2, unbiased=False, keepdim=True) + 1e-5).sqrt()
        x = x * WEIGHTS["convs.0.norm.weight"][:, None] + WEIGHTS["convs.0.norm.bias"][:, None]
        x = functional.gelu(x)
        for i in range(1, 7):
            x = functional.gelu(functional.conv1d(x, WEIGHTS[f"convs.{i}.weight"], stride=2))
        return x[0].t()

    def _position(self) -> torch.Tensor:
        v, g = WEIGHTS["position.weight_v"], WEIGHTS["position.weight_g"]
        kernel, half = v * g / v.norm(dim=(0, 1), keepdim=True), SIZES.taps // 2
        line = torch.stack(self.projected).t()[None]
        y = functional.conv1d(
            line, kernel, WEIGHTS["position.bias"], padding=half, groups=SIZES.groups
        )
        return functional.gelu(y[0, :, : line.shape[2]].t())

    def features(self, new: int) -> torch.Tensor:
        """Features of the live frames after so many new ones, ``[live, width]``."""
        end = len(self.projected) + new
        made = self._norm(self._convolved(new, end), "features_norm")
        self.projected += list(self._linear(made, "projection"))
        first = max(0, end - new - self.again)
        x = torch.stack(self.projected[first:]) + self._position()[first:]
        x = self._norm(x, "norm")
        for number, pairs in enumerate(self.pairs):
            own = f"layers.{number}."
            query, key, value = (
                self._linear(x, f"{own}attention.{part}").unflatten(1, (SIZES.heads, -1))
                for part in ("query", "key", "value")
            )
            pairs |= {first + i: pair for i, pair in enumerate(zip(key, value, strict=True))}
            seen = range(max(0, first - self.past), end)
            keys, values = (torch.stack([pairs[k][i] for k in seen]) for i in (0, 1))
            scores = torch.einsum("qhd,khd->hqk", query, keys) / query.shape[2] ** 0.5
            y = torch.einsum("hqk,khd->qhd", scores.softmax(2), values).flatten(1)
            x = self._norm(x + self._linear(y, f"{own}attention.output"), f"{own}attention_norm")
            y = self._linear(functional.gelu(self._linear(x, f"{own}up")), f"{own}down")
            x = self._norm(x + y, f"{own}norm")
        return self._linear(x, "head") if self.project else x


def _calls(audio: torch.Tensor, splits: list[int]) -> list[torch.Tensor]:
    """The audio of each call, the newest last."""
    ends = list(accumulate(splits))
    return [
        audio[None, (end - new) * STEP : end * STEP + EXTRA]
        for new, end in zip(splits, ends, strict=True)
    ]


SPLITS = st.lists(st.integers(1, BLOCK), min_size=1, max_size=9)


@settings(max_examples=40)
@given(splits=SPLITS, past=st.integers(1, 25), again=st.integers(0, 12), project=st.booleans())
def test_blocks_of_any_size_are_what_the_definition_says(
    splits: list[int], past: int, again: int, project: bool
) -> None:
    """Short memories make the ring of settled frames go round several times."""
    audio = _noise(sum(splits))
    stream = HubertStream(NETWORKS[project], past, again, BLOCK)
    state, slow = stream.begin(1), Definition(audio, past, again, project)
    for call, new in zip(_calls(audio, splits), splits, strict=True):
        expected = slow.features(new)
        found = stream(call, state)[0]
        assert_close(found[-len(expected) :], expected, SMALL_NETWORK)


@given(before=st.integers(1, 12), splits=SPLITS)
@settings(max_examples=15)
def test_frames_before_the_stream_do_not_count(before: int, splits: list[int]) -> None:
    """The grid of blocks may begin before the sound does, as other nodes' look-ahead makes it."""
    stream = HubertStream(NETWORKS[False], 9, 3, BLOCK)
    audio, frames = _noise(sum(splits)), before
    state = stream.begin(1, -before)
    early = torch.cat((torch.zeros(before * STEP), audio))
    slow = Definition(audio, 9, 3, False)
    for new, call in zip(splits, _calls(early, splits), strict=True):
        found, frames = stream(call, state)[0], frames - new
        exist = min(new, -frames)
        if exist > 0:
            expected = slow.features(exist)
            # Frames of the call that do not exist take no part in it.
            assert_close(found[-len(expected) :][-exist:], expected[-exist:], SMALL_NETWORK)
        else:
            assert (found == found[0]).all()


def test_all_in_one_call_is_the_network() -> None:
    audio = _noise(30)
    stream = HubertStream(NETWORKS[False], 1, 0, 30)
    expected = NETWORKS[False](audio[None])
    assert_close(stream(audio[None], stream.begin(1)), expected, SMALL_NETWORK)


def test_frames_are_kept_as_they_were_when_last_computed() -> None:
    audio, splits = _noise(24), [6] * 4
    stream = HubertStream(NETWORKS[False], 20, 4, BLOCK, kept=24)
    state, line = stream.begin(1), torch.zeros(0, SIZES.hidden)
    for call in _calls(audio, splits):
        found = stream(call, state)[0]
        line = torch.cat((line[: len(line) - 4], found[-10:]))[-len(line) - 6 :]
        assert torch.equal(found[-min(len(line), 24) :], line[-24:])


def test_streams_at_different_times_do_not_disturb_each_other() -> None:
    """One begins anew while the others go on, as after a reset."""
    stream = HubertStream(NETWORKS[False], 9, 3, BLOCK)
    both, alone = _noise(35, seed=2), _noise(21, seed=3)
    state = stream.begin(2)
    for _, call in zip(range(2), _calls(both, [7] * 5), strict=False):
        stream(call.expand(2, -1), state)
    for name, tensor in state.tensors().items():
        tensor[1] = stream.begin(1).tensors()[name][0]
    old, new = stream.begin(1), stream.begin(1)
    for call in _calls(both, [7] * 5)[:2]:
        stream(call, old)
    for first, second in zip(_calls(both, [7] * 5)[2:], _calls(alone, [7] * 3), strict=True):
        found = stream(torch.cat((first, second)), state)
        assert_close(found[:1], stream(first, old), SMALL_NETWORK)
        assert_close(found[1:], stream(second, new), SMALL_NETWORK)
