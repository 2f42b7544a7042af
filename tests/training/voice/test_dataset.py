"""Pieces of utterances: alignment of their parts, and reproducible draws."""

from __future__ import annotations

import numpy as np
import torch

from voicegraph.training.voice._dataset import (
    CONTEXT,
    HOP,
    VoiceTrainingSet,
    VoiceUtterance,
    cut_piece,
    load_utterance,
    upsample,
)
from voicegraph.training.voice._features import CLEAN_STREAM, CLEAN_WHOLE
from voicegraph.training.voice.prepared_speech import PreparedSpeech


def _ramps(frames: int = 100) -> VoiceUtterance:
    """Every value is its own time: content in frames of 10 ms, audio in samples."""
    halves = (2 * np.arange(frames // 2 + 1, dtype=np.float16))[:, None]
    content = np.stack([halves + 1000 * version for version in range(6)])
    times = np.arange(frames + 1, dtype=np.float32)
    return VoiceUtterance(np.arange(frames * HOP).astype(np.int16), content, times, -times)


def test_upsample_interpolates_linearly() -> None:
    found = upsample(np.array([[0.0], [2.0], [6.0]], np.float16))
    assert found[:, 0].tolist() == [0, 1, 2, 4, 6]


def test_parts_of_a_piece_are_aligned() -> None:
    for first in (CONTEXT, 4, 17, 18):
        found = cut_piece(_ramps(), CLEAN_WHOLE, first, 20)
        times = torch.arange(first + 1 - CONTEXT, first + 1 + 20 + CONTEXT).float()
        assert torch.equal(found.f0[0], times)
        assert torch.equal(found.level[0], -times)
        assert torch.equal(found.content[0, :, 0], times)
        assert found.audio.shape == (1, 20 * HOP)
        assert float(found.audio[0, 0]) * 32768 == np.int16(first * HOP)


def test_whole_utterance_is_a_piece() -> None:
    whole = _ramps()
    found = cut_piece(whole, CLEAN_STREAM, CONTEXT, whole.frames - 2 * CONTEXT - 2)
    assert found.content.shape[1] == found.f0.shape[1] == whole.frames - 2
    assert float(found.content.min()) >= 1000 * CLEAN_STREAM


def test_seed_and_step_decide_a_batch(speech: PreparedSpeech) -> None:
    utterances = [load_utterance(speech, number) for number in speech.numbers]
    one, other = (VoiceTrainingSet(utterances, 1).batch(7, 3, 40) for _ in range(2))
    assert torch.equal(one.content, other.content)
    assert torch.equal(one.audio, other.audio)
    assert one.content.shape == (3, 46, 8)
    assert not torch.equal(one.audio, VoiceTrainingSet(utterances, 1).batch(8, 3, 40).audio)
    assert not torch.equal(one.audio, VoiceTrainingSet(utterances, 2).batch(7, 3, 40).audio)
