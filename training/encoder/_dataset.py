"""What the encoder is trained on, in memory, and the pieces that training draws from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_network import STEP

from . import _librispeech as librispeech
from ._channel_augmentation import disturbed
from ._workdir import COPIES, Place

UNKNOWN = -100
"""Of frames whose phone is not known, or is none: what a cross entropy leaves out."""
SILENT_SYMBOLS = (16, 156, 157)
"""Kokoro's numbers of the space and of the two marks of stress: they name no sound."""
KOKORO_SYMBOLS = 178
_COPY = 0.5
"""Share of the pieces of which another voice is heard."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance.

    Attributes:
        name: of the utterance.
        audio: int16 ``[1 + copies, samples]``, 16 kHz: the speech itself first.
        target: float16 ``[frames, hidden]``, of the speech itself.
        phones: int16 ``[frames]``, or none.
    """

    name: str
    audio: np.ndarray
    target: np.ndarray
    phones: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Pieces of ``frames`` frames.

    ``audio`` ``[pieces, frames * 320]``, from the centre of the first frame on; ``target``
    ``[pieces, frames, hidden]``; ``phones`` int64 ``[pieces, frames]``, ``UNKNOWN`` where they are.
    """

    audio: torch.Tensor
    target: torch.Tensor
    phones: torch.Tensor


def read(place: Place, name: str) -> Utterance:
    """One utterance from its files."""
    speech, _ = soundfile.read(place.speech(name), dtype="int16")
    heard = [speech]
    for copy in range(COPIES):
        made, _ = soundfile.read(place.copy(name, copy), dtype="int16")
        heard.append(made)
    known = place.phones(name)
    phones = np.load(known) if known.exists() else None
    return Utterance(name, np.stack(heard), np.load(place.targets(name)), phones)


class Material:
    """Draws batches; every draw is decided by seed, step and part alone, so training can go on.

    Attributes:
        mean, spread: of the targets, ``[hidden]``.
    """

    def __init__(self, utterances: list[Utterance], seed: int) -> None:
        self.utterances, self.seed = utterances, seed
        some = np.concatenate([u.target[::4].astype(np.float32) for u in utterances])
        self.mean, self.spread = (torch.from_numpy(found) for found in (some.mean(0), some.std(0)))
        lengths = np.array([len(u.target) for u in utterances], float)
        self._weights = lengths / lengths.sum()

    def batch(self, step: int, part: int, pieces: int, frames: int) -> Batch:
        """Random pieces, heard over random lines.

        Args:
            step: of training.
            part: which process draws.
            pieces: how many.
            frames: of 20 ms in each.
        """
        random = np.random.default_rng([self.seed, step, part])
        chosen = random.choice(len(self.utterances), pieces, p=self._weights)
        drawn = [self._piece(self.utterances[number], frames, random) for number in chosen]
        audio, target, phones = (np.stack(found) for found in zip(*drawn, strict=True))
        return Batch(torch.from_numpy(audio), torch.from_numpy(target), torch.from_numpy(phones))

    def _piece(
        self, found: Utterance, frames: int, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        first = int(random.integers(max(len(found.target) - frames, 0) + 1))
        voice = int(random.integers(1, len(found.audio))) if random.random() < _COPY else 0
        audio = found.audio[voice, first * STEP : (first + frames) * STEP] / 32768
        audio = disturbed(_longer(audio, frames * STEP), random).astype(np.float32)
        target = found.target[first : first + frames].astype(np.float32)
        target = np.pad(target, ((0, frames - len(target)), (0, 0)), mode="edge")
        phones = np.full(frames, UNKNOWN, np.int64)
        if found.phones is not None:
            known = found.phones[first : first + frames].astype(np.int64)
            phones[: len(known)] = np.where(np.isin(known, SILENT_SYMBOLS), UNKNOWN, known)
        return audio, target, phones


def _longer(audio: np.ndarray, count: int) -> np.ndarray:
    return np.pad(audio, (0, count - len(audio)))


def collected(place: Place, seed: int) -> tuple[Material, list[Utterance]]:
    """What is learned from, and the utterances of readers who are held out."""
    learned, held_out = librispeech.divided(place.names())
    return Material([read(place, n) for n in learned], seed), [read(place, n) for n in held_out]
