"""The training set of a voice in memory, and the batches of short pieces drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from voicegraph.nodes.dsp.loudness import FLOOR_DB

from ..common.training_set import TrainingSet
from ._features import CLEAN_STREAM, CLEAN_WHOLE, PERTURBED_STREAM, PERTURBED_WHOLE
from .prepared_speech import PreparedSpeech
from .workdir import RATE

HOP = RATE // 100
"""Samples in a frame of 10 ms."""
CONTEXT = 3
"""Frames before and after the rendered ones that the network sees."""
_CLEAN = 0.2
"""Share of the pieces with features of the speech itself; the others have those of a copy."""
_STREAMING = 0.5
"""Share of the pieces with features as a stream gives them."""
_LEVEL_JITTER_DB = 1.0
_FEATURE_NOISE = 0.15


@dataclass(frozen=True, slots=True)
class VoiceUtterance:
    """One utterance.

    Attributes:
        audio: int16 ``[samples]``, 24 kHz.
        content: float16 ``[versions, frames at 50 Hz, dim]``.
        f0: Hz ``[frames at 100 Hz]``, 0 where unvoiced.
        level: dB ``[frames at 100 Hz]``.
    """

    audio: np.ndarray
    content: np.ndarray
    f0: np.ndarray
    level: np.ndarray

    @property
    def frames(self) -> int:
        """Number of whole frames of 10 ms that audio, content and contours all cover."""
        return min(len(self.f0), 2 * self.content.shape[1] - 1, len(self.audio) // HOP)


@dataclass(frozen=True, slots=True)
class VoiceBatch:
    """Pieces of ``frames`` frames; the conditions have three more frames on either side.

    ``content`` ``[pieces, frames + 6, dim]``, ``f0`` and ``level`` ``[pieces, frames + 6]``,
    ``audio`` ``[pieces, frames * hop]``, which begins one frame before the first rendered frame.
    """

    content: torch.Tensor
    f0: torch.Tensor
    level: torch.Tensor
    audio: torch.Tensor


def load_utterance(speech: PreparedSpeech, number: int) -> VoiceUtterance:
    """One utterance.

    Raises:
        DamagedResultError: if something of it is damaged in the store.
    """
    f0, level = speech.read_contours(number)
    return VoiceUtterance(speech.audio(number), speech.read_features(number), f0, level)


def upsample(content: np.ndarray) -> np.ndarray:
    """50 Hz to 100 Hz, linearly: ``[frames, dim]`` -> ``[2 frames - 1, dim]`` float32."""
    content = content.astype(np.float32)
    made = np.empty((2 * len(content) - 1, content.shape[1]), np.float32)
    made[::2] = content
    made[1::2] = (content[1:] + content[:-1]) / 2
    return made


def cut_piece(found: VoiceUtterance, version: int, first: int, frames: int) -> VoiceBatch:
    """Frames ``first`` to ``first + frames`` of an utterance, as a batch of one piece.

    Args:
        found: the utterance.
        version: of its content features.
        first: the last frame before the rendered ones, where the audio begins.
        frames: how many.
    """
    low = first + 1 - CONTEXT
    span = slice(low, low + frames + 2 * CONTEXT)
    content = upsample(found.content[version][max(low // 2 - 1, 0) : (span.stop + 3) // 2 + 1])
    offset = low - 2 * max(low // 2 - 1, 0)
    audio = found.audio[first * HOP : (first + frames) * HOP].astype(np.float32) / 32768
    return VoiceBatch(
        torch.from_numpy(content[offset : offset + frames + 2 * CONTEXT])[None],
        torch.from_numpy(found.f0[span])[None],
        torch.from_numpy(found.level[span])[None],
        torch.from_numpy(audio)[None],
    )


class VoiceTrainingSet(TrainingSet[VoiceUtterance]):
    """Draws batches of pieces; seed and step alone decide a batch."""

    def __init__(self, utterances: list[VoiceUtterance], seed: int) -> None:
        features = [u.content[v, ::4].astype(np.float32) for u in utterances for v in range(4)]
        lengths = [utterance.frames for utterance in utterances]
        super().__init__(utterances, lengths, np.concatenate(features), seed)

    def batch(self, step: int, pieces: int, frames: int) -> VoiceBatch:
        """Random pieces of random versions of the features, with noise and level jitter."""
        chosen, random = self.draw(pieces, step)
        drawn = [self._piece(utterance, frames, random) for utterance in chosen]
        content = torch.cat([b.content for b in drawn])
        amount = torch.from_numpy(random.uniform(0, _FEATURE_NOISE, (pieces, 1, 1))).float()
        noise = torch.from_numpy(random.standard_normal(content.shape, np.float32))
        jitter = torch.from_numpy(random.normal(0, _LEVEL_JITTER_DB, (pieces, 1))).float()
        return VoiceBatch(
            content + noise * amount * self.std,
            torch.cat([b.f0 for b in drawn]),
            (torch.cat([b.level for b in drawn]) + jitter).clamp_min(FLOOR_DB),
            torch.cat([b.audio for b in drawn]),
        )

    def _piece(self, found: VoiceUtterance, frames: int, random: np.random.Generator) -> VoiceBatch:
        streaming = random.random() < _STREAMING
        if random.random() < _CLEAN:
            versions: tuple[int, ...] = (CLEAN_STREAM if streaming else CLEAN_WHOLE,)
        else:
            versions = PERTURBED_STREAM if streaming else PERTURBED_WHOLE
        last = found.frames - frames - CONTEXT - 2
        first = int(random.integers(CONTEXT, max(last, CONTEXT + 1)))
        return cut_piece(found, int(random.choice(versions)), first, frames)
