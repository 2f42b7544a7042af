"""The training set of the encoder in memory, and the batches of pieces drawn from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
import torch

from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import STEP
from voicegraph.training.voice.augmentation import log_uniform

from ..channel.augmentation import Odds, random_channel
from ..common.training_set import TrainingSet
from . import _librispeech as librispeech
from ._workdir import COPIES, EncoderWorkdir

UNKNOWN = -100
"""Stands for an unknown phone or for none; the cross entropy ignores such frames."""
SILENCE = 0
"""Kokoro's number of the boundary; it also stands for all punctuation, which is silent."""
KOKORO_SYMBOLS = 178
_SPACE, _STRESS = 16, (156, 157)
"""Kokoro's numbers of the space and of the two stress marks, which are not phones. Lower numbers
than the space are punctuation."""
_COPY = 0.5
"""Share of the pieces with the audio of a copy in another voice."""
_FASTER, _SPEEDS = 0.4, (0.88, 1.14)
"""Share of the pieces that are played at another speed, which moves pitch and formants, too."""


@dataclass(frozen=True, slots=True)
class EncoderUtterance:
    """One utterance.

    Attributes:
        name: of the utterance.
        audio: int16 ``[1 + copies, samples]``, 16 kHz; the speech itself comes first.
        target: the teacher's features of the speech itself, float16 ``[frames, hidden]``.
        phones: int16 ``[frames]``, Kokoro's numbers; None if unknown.
        said: int16 ``[phones]``, the sequence of phones by a transcript; None without one.
    """

    name: str
    audio: np.ndarray
    target: np.ndarray
    phones: np.ndarray | None
    said: np.ndarray | None = None


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
    phones, said = (
        np.load(path) if path.exists() else None
        for path in (workdir.phones(name), workdir.transcript(name))
    )
    if phones is None and workdir.alignment(name).exists():
        phones = np.load(workdir.alignment(name))
    said = None if said is None else spoken(said)
    return EncoderUtterance(name, np.stack(audio), np.load(workdir.targets(name)), phones, said)


def labels(phones: np.ndarray) -> np.ndarray:
    """Kokoro's numbers of the frames of an utterance as labels, int64, with one silence.

    The space between words belongs to either side: unknown. A stress mark has the beginning of the
    vowel that follows.
    """
    marked = np.isin(phones, _STRESS)
    places = np.where(marked, len(phones), np.arange(len(phones)))
    following = np.minimum.accumulate(places[::-1])[::-1]
    known = np.append(phones, _SPACE).astype(np.int64)[following]
    return np.where(known == _SPACE, UNKNOWN, np.where(known < _SPACE, SILENCE, known))


def spoken(numbers: np.ndarray) -> np.ndarray:
    """The phones among Kokoro's numbers, in their order."""
    return numbers[(numbers > _SPACE) & ~np.isin(numbers, _STRESS)]


class EncoderTrainingSet(TrainingSet[EncoderUtterance]):
    """Draws batches of pieces; seed, step, rank and odds alone decide a batch."""

    def __init__(self, utterances: list[EncoderUtterance], seed: int, odds: Odds) -> None:
        features = [utterance.target[::4].astype(np.float32) for utterance in utterances]
        lengths = [len(utterance.target) for utterance in utterances]
        super().__init__(utterances, lengths, np.concatenate(features), seed)
        self.odds = odds

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
        speed = log_uniform(random, *_SPEEDS) if random.random() < _FASTER else 1.0
        span = math.ceil(frames * speed) + 1
        first = int(random.integers(max(len(found.target) - span, 0) + 1))
        audio = self._audio(found, first, span, random)
        if speed != 1.0:
            audio = soxr.resample(audio, speed * RATE, RATE)
        audio = _fitted(audio, frames * STEP)
        received = random_channel(
            audio, random, lambda: self._other_speech(frames, random), self.odds
        )
        at = first + speed * np.arange(frames)
        target = _between(found.target, at)
        phones = np.full(frames, UNKNOWN, np.int64)
        if found.phones is not None:
            exists = at <= len(found.phones) - 1
            phones[exists] = labels(found.phones)[np.rint(at[exists]).astype(int)]
        return received.sound.astype(np.float32), target, phones

    def _other_speech(self, frames: int, random: np.random.Generator) -> np.ndarray:
        """Speech of anybody, float64 ``[frames * 320]``."""
        other = self.utterances[random.integers(len(self.utterances))]
        first = int(random.integers(max(len(other.target) - frames, 0) + 1))
        return _fitted(self._audio(other, first, frames, random), frames * STEP)

    @staticmethod
    def _audio(
        found: EncoderUtterance, first: int, frames: int, random: np.random.Generator
    ) -> np.ndarray:
        """Frames of an utterance or of its copy, float64."""
        voice = int(random.integers(1, len(found.audio))) if random.random() < _COPY else 0
        return found.audio[voice, first * STEP : (first + frames) * STEP] / 32768


def _between(features: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Features at fractional frames, linearly interpolated, float32; the last one goes on."""
    at = np.minimum(at, len(features) - 1)
    low = at.astype(int)
    share = (at - low)[:, None]
    high = np.minimum(low + 1, len(features) - 1)
    found = features[low] * (1 - share) + features[high] * share
    return found.astype(np.float32)


def _fitted(audio: np.ndarray, count: int) -> np.ndarray:
    """The first samples, with silence behind what is too short."""
    return np.pad(audio[:count], (0, max(count - len(audio), 0)))


def load_datasets(
    workdir: EncoderWorkdir, seed: int, odds: Odds
) -> tuple[EncoderTrainingSet, list[EncoderUtterance]]:
    """The training set, and the utterances of the held-out speakers."""
    learned, held_out = librispeech.split_held_out(workdir.complete())
    return EncoderTrainingSet([load_utterance(workdir, n) for n in learned], seed, odds), [
        load_utterance(workdir, n) for n in held_out
    ]
