"""What a voice is trained on, in memory, and the short pieces that training draws from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soundfile
import torch

from voicegraph.nodes.dsp.loudness import FLOOR_DB

from ._features import CLEAN_STREAM, CLEAN_WHOLE, PERTURBED_STREAM, PERTURBED_WHOLE
from .workdir import RATE, Workplace

HOP = RATE // 100
AHEAD = 3
"""Frames that the network looks back and ahead beside those it makes."""
_CLEAN = 0.2
_STREAMING = 0.5
_LEVEL_JITTER_DB = 1.0
_FEATURE_NOISE = 0.15


@dataclass(frozen=True, slots=True)
class Utterance:
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
        """Whole frames of 10 ms that all of it covers."""
        return min(len(self.f0), 2 * self.content.shape[1] - 1, len(self.audio) // HOP)


@dataclass(frozen=True, slots=True)
class Batch:
    """Pieces of ``frames`` frames; conditions have three more on either side.

    ``content`` ``[pieces, frames + 6, dim]``, ``f0`` and ``level`` ``[pieces, frames + 6]``,
    ``audio`` ``[pieces, frames * hop]`` from one frame before the first to the last.
    """

    content: torch.Tensor
    f0: torch.Tensor
    level: torch.Tensor
    audio: torch.Tensor


def read(place: Workplace, number: int) -> Utterance:
    """One utterance from its files."""
    audio, _ = soundfile.read(place.speech(number), dtype="int16")
    with np.load(place.contours(number)) as held, np.load(place.features(number)) as heard:
        f0, level = (held[name].astype(np.float32) for name in ("f0", "level"))
        return Utterance(audio, heard["content"], f0, level)


def doubled(content: np.ndarray) -> np.ndarray:
    """50 Hz to 100 Hz by straight lines: ``[frames, dim]`` -> ``[2 frames - 1, dim]`` float32."""
    content = content.astype(np.float32)
    made = np.empty((2 * len(content) - 1, content.shape[1]), np.float32)
    made[::2] = content
    made[1::2] = (content[1:] + content[:-1]) / 2
    return made


def piece(found: Utterance, version: int, first: int, frames: int) -> Batch:
    """Frames ``first`` to ``first + frames`` of an utterance, as a batch of one.

    Frame ``first`` is the last one before the piece: it is what the audio begins at.
    """
    low = first + 1 - AHEAD
    span = slice(low, low + frames + 2 * AHEAD)
    content = doubled(found.content[version][max(low // 2 - 1, 0) : (span.stop + 3) // 2 + 1])
    offset = low - 2 * max(low // 2 - 1, 0)
    audio = found.audio[first * HOP : (first + frames) * HOP].astype(np.float32) / 32768
    return Batch(
        torch.from_numpy(content[offset : offset + frames + 2 * AHEAD])[None],
        torch.from_numpy(found.f0[span])[None],
        torch.from_numpy(found.level[span])[None],
        torch.from_numpy(audio)[None],
    )


class Material:
    """Draws batches; every draw is decided by seed and step alone, so that training can go on."""

    def __init__(self, utterances: list[Utterance], seed: int) -> None:
        self.utterances = utterances
        self.seed = seed
        stacked = np.concatenate(
            [u.content[v, ::4].astype(np.float32) for u in utterances for v in range(4)]
        )
        self.mean = torch.from_numpy(stacked.mean(0))
        self.spread = torch.from_numpy(stacked.std(0))
        self._weights = np.array([u.frames for u in utterances], float)
        self._weights /= self._weights.sum()

    def batch(self, step: int, pieces: int, frames: int) -> Batch:
        """Pieces at random places, of random versions of the features, slightly disturbed."""
        random = np.random.default_rng([self.seed, step])
        chosen = random.choice(len(self.utterances), pieces, p=self._weights)
        drawn = [self._draw(self.utterances[n], frames, random) for n in chosen]
        content = torch.cat([b.content for b in drawn])
        amount = torch.from_numpy(random.uniform(0, _FEATURE_NOISE, (pieces, 1, 1))).float()
        noise = torch.from_numpy(random.standard_normal(content.shape, np.float32))
        jitter = torch.from_numpy(random.normal(0, _LEVEL_JITTER_DB, (pieces, 1))).float()
        return Batch(
            content + noise * amount * self.spread,
            torch.cat([b.f0 for b in drawn]),
            (torch.cat([b.level for b in drawn]) + jitter).clamp_min(FLOOR_DB),
            torch.cat([b.audio for b in drawn]),
        )

    def _draw(self, found: Utterance, frames: int, random: np.random.Generator) -> Batch:
        streaming = random.random() < _STREAMING
        if random.random() < _CLEAN:
            versions: tuple[int, ...] = (CLEAN_STREAM if streaming else CLEAN_WHOLE,)
        else:
            versions = PERTURBED_STREAM if streaming else PERTURBED_WHOLE
        last = found.frames - frames - AHEAD - 2
        first = int(random.integers(AHEAD, max(last, AHEAD + 1)))
        return piece(found, int(random.choice(versions)), first, frames)
