"""The training set of the encoder in memory, and the batches of pieces drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_network import STEP

from ..common.training_set import TrainingSet
from . import _librispeech as librispeech
from ._channel_augmentation import random_channel
from ._workdir import COPIES, EncoderWorkdir

UNKNOWN = -100
"""Stands for an unknown phone or for none; the cross entropy ignores such frames."""
SILENT_SYMBOLS = (16, 156, 157)
"""Kokoro's numbers of the space and of the two stress marks, which are not phones."""
KOKORO_SYMBOLS = 178
_COPY = 0.5
"""Share of the pieces with the audio of a copy in another voice."""


@dataclass(frozen=True, slots=True)
class EncoderUtterance:
    """One utterance.

    Attributes:
        name: of the utterance.
        audio: int16 ``[1 + copies, samples]``, 16 kHz; the speech itself comes first.
        target: the teacher's features of the speech itself, float16 ``[frames, hidden]``.
        phones: int16 ``[frames]``; None if unknown.
    """

    name: str
    audio: np.ndarray
    target: np.ndarray
    phones: np.ndarray | None


@dataclass(frozen=True, slots=True)
class EncoderBatch:
    """Pieces of ``frames`` frames.

    ``audio`` ``[pieces, frames * 320]`` from the centre of the first frame on; ``target``
    ``[pieces, frames, hidden]``; ``phones`` int64 ``[pieces, frames]``, ``UNKNOWN`` if unknown.
    """

    audio: torch.Tensor
    target: torch.Tensor
    phones: torch.Tensor


def load_utterance(workdir: EncoderWorkdir, name: str) -> EncoderUtterance:
    """One utterance from its files."""
    speech, _ = soundfile.read(workdir.speech(name), dtype="int16")
    audio = [speech]
    for copy in range(COPIES):
        made, _ = soundfile.read(workdir.augmented_copy(name, copy), dtype="int16")
        audio.append(made)
    known = workdir.phones(name)
    phones = np.load(known) if known.exists() else None
    return EncoderUtterance(name, np.stack(audio), np.load(workdir.targets(name)), phones)


class EncoderTrainingSet(TrainingSet[EncoderUtterance]):
    """Draws batches of pieces; seed, step and rank alone decide a batch."""

    def __init__(self, utterances: list[EncoderUtterance], seed: int) -> None:
        features = [utterance.target[::4].astype(np.float32) for utterance in utterances]
        lengths = [len(utterance.target) for utterance in utterances]
        super().__init__(utterances, lengths, np.concatenate(features), seed)

    def batch(self, step: int, rank: int, pieces: int, frames: int) -> EncoderBatch:
        """Random pieces over random channels.

        Args:
            step: of training.
            rank: of the process.
            pieces: how many.
            frames: of 20 ms in each.
        """
        chosen, random = self.draw(pieces, step, rank)
        drawn = [self._piece(utterance, frames, random) for utterance in chosen]
        audio, target, phones = (np.stack(found) for found in zip(*drawn, strict=True))
        return EncoderBatch(
            torch.from_numpy(audio), torch.from_numpy(target), torch.from_numpy(phones)
        )

    def _piece(
        self, found: EncoderUtterance, frames: int, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        first = int(random.integers(max(len(found.target) - frames, 0) + 1))
        voice = int(random.integers(1, len(found.audio))) if random.random() < _COPY else 0
        audio = found.audio[voice, first * STEP : (first + frames) * STEP] / 32768
        audio = random_channel(_pad(audio, frames * STEP), random).astype(np.float32)
        target = found.target[first : first + frames].astype(np.float32)
        target = np.pad(target, ((0, frames - len(target)), (0, 0)), mode="edge")
        phones = np.full(frames, UNKNOWN, np.int64)
        if found.phones is not None:
            known = found.phones[first : first + frames].astype(np.int64)
            phones[: len(known)] = np.where(np.isin(known, SILENT_SYMBOLS), UNKNOWN, known)
        return audio, target, phones


def _pad(audio: np.ndarray, count: int) -> np.ndarray:
    return np.pad(audio, (0, count - len(audio)))


def load_datasets(
    workdir: EncoderWorkdir, seed: int
) -> tuple[EncoderTrainingSet, list[EncoderUtterance]]:
    """The training set, and the utterances of the held-out speakers."""
    learned, held_out = librispeech.split_held_out(workdir.names())
    return EncoderTrainingSet([load_utterance(workdir, n) for n in learned], seed), [
        load_utterance(workdir, n) for n in held_out
    ]
