"""Pieces of utterances: what lies at which frame, and that every draw can be repeated."""

from __future__ import annotations

import numpy as np
import torch

from voicegraph.training.voice._dataset import AHEAD, HOP, Material, Utterance, doubled, piece, read
from voicegraph.training.voice._features import CLEAN_STREAM, CLEAN_WHOLE
from voicegraph.training.voice.workdir import Workplace


def _ramps(frames: int = 100) -> Utterance:
    """Everything in it says when it is: content in frames of 10 ms, audio in samples."""
    halves = (2 * np.arange(frames // 2 + 1, dtype=np.float16))[:, None]
    content = np.stack([halves + 1000 * version for version in range(6)])
    times = np.arange(frames + 1, dtype=np.float32)
    return Utterance(np.arange(frames * HOP).astype(np.int16), content, times, -times)


def test_doubled() -> None:
    found = doubled(np.array([[0.0], [2.0], [6.0]], np.float16))
    assert found[:, 0].tolist() == [0, 1, 2, 4, 6]


def test_all_parts_of_a_piece_are_of_one_time() -> None:
    for first in (AHEAD, 4, 17, 18):
        found = piece(_ramps(), CLEAN_WHOLE, first, 20)
        times = torch.arange(first + 1 - AHEAD, first + 1 + 20 + AHEAD).float()
        assert torch.equal(found.f0[0], times)
        assert torch.equal(found.level[0], -times)
        assert torch.equal(found.content[0, :, 0], times)
        assert found.audio.shape == (1, 20 * HOP)
        assert float(found.audio[0, 0]) * 32768 == np.int16(first * HOP)


def test_the_whole_of_an_utterance_is_a_piece() -> None:
    whole = _ramps()
    found = piece(whole, CLEAN_STREAM, AHEAD, whole.frames - 2 * AHEAD - 2)
    assert found.content.shape[1] == found.f0.shape[1] == whole.frames - 2
    assert float(found.content.min()) >= 1000 * CLEAN_STREAM


def test_batches_can_be_repeated(place: Workplace) -> None:
    utterances = [read(place, number) for number in place.spoken()]
    one, other = (Material(utterances, 1).batch(7, 3, 40) for _ in range(2))
    assert torch.equal(one.content, other.content)
    assert torch.equal(one.audio, other.audio)
    assert one.content.shape == (3, 46, 8)
    assert not torch.equal(one.audio, Material(utterances, 1).batch(8, 3, 40).audio)
    assert not torch.equal(one.audio, Material(utterances, 2).batch(7, 3, 40).audio)
