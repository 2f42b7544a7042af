"""The step examples: recordings over random channels, and the level of the speech in them.

The target is the level of the direct sound by the same microphone, without the room, the noise, and
the noise that the recording itself has in its pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import torch

from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.nodes.dsp.hann_power import HannPower
from voicegraph.nodes.dsp.speech_level_network import HOP, RATE, WINDOW, SpeechLevelNetwork

from ..channel.augmentation import Odds, random_channel

FRAMES = 400
"""Frames of an example: 4 s."""
_ODDS = Odds(
    room=0.4,
    reverb_db=(-16.0, 3.0),
    noise=0.8,
    noise_db=(-3.0, 40.0),
    distorted=0.1,
    level_db=(-35.0, 3.0),
)
_SILENCE = 0.15
"""Share of the examples that begin before the speech."""
_HISS = 1e-5
"""Amplitude of the noise that every input has: -100 dB."""
_QUIET, _LOUD = 8, 95
"""Percentiles of a recording's levels: its own noise, and loud speech."""
_OWN_NOISE_DB, _LEAST_DB = 6.0, 25.0
"""The noise is taken to be so much louder than the low percentile, but this far below speech."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples in dB, float32.

    Attributes:
        bands: levels of the bands that the network hears, ``[examples, frames, 32]``.
        level: of all that is heard, ``[examples, frames]``.
        speech: of the speech in it, of the same shape.
    """

    bands: torch.Tensor
    level: torch.Tensor
    speech: torch.Tensor


def write_examples(path: Path, files: Sequence[Path], count: int, seed: int) -> None:
    """Makes examples of recordings.

    Args:
        path: a ``.npz``, float16.
        files: recordings at 16 kHz.
        count: how many.
        seed: decides all draws.

    Raises:
        SystemExit: if a recording has another rate.
    """
    random = np.random.default_rng(seed)
    recordings = _Recordings(files, random)
    hears = SpeechLevelNetwork()
    made = [_example(recordings, random, hears) for _ in range(count)]
    bands, level, speech = (np.stack(one).astype(np.float16) for one in zip(*made, strict=True))
    with atomic_write(path, force=True) as place, place.open("wb") as file:
        np.savez(file, bands=bands, level=level, speech=speech)


def read_examples(paths: Sequence[Path]) -> Examples:
    """The examples of files, in their order."""
    held = [np.load(path) for path in paths]
    whole = (np.concatenate([one[name] for one in held]) for name in ("bands", "level", "speech"))
    return Examples(*(torch.from_numpy(found.astype(np.float32)) for found in whole))


class _Recordings:
    """Draws pieces of recordings, with the share of their power that is speech."""

    def __init__(self, files: Sequence[Path], random: np.random.Generator) -> None:
        self.files, self.random = files, random

    def piece(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples ``[frames * 160]``, and shares ``[frames]``, 0 to 1."""
        audio, rate = soundfile.read(self.files[int(self.random.integers(len(self.files)))])
        if rate != RATE:
            raise SystemExit(f"recordings have {rate} Hz, expected {RATE}")
        share = _speech_share(frame_power(audio))
        frames = len(share)
        first = int(self.random.integers(max(frames - FRAMES, 0) + 1))
        cut, kept = audio[first * HOP : (first + FRAMES) * HOP], share[first : first + FRAMES]
        before = 0
        if self.random.random() < _SILENCE:
            before = int(self.random.integers(FRAMES // 4))
        cut = np.pad(cut, (before * HOP, FRAMES * HOP))[: FRAMES * HOP]
        return cut, np.pad(kept, (before, FRAMES))[:FRAMES]


def _example(
    recordings: _Recordings, random: np.random.Generator, hears: SpeechLevelNetwork
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Levels of the bands, of all, and of the speech, in dB."""
    audio, share = recordings.piece()
    received = random_channel(audio, random, lambda: recordings.piece()[0], _ODDS)
    sound = received.sound + _HISS * random.standard_normal(len(audio))
    cut = torch.from_numpy(_padded(sound)).float().unfold(0, WINDOW, HOP)[None, :FRAMES]
    with torch.inference_mode():
        bands = hears.levels(cut)[0].numpy()
    speech = frame_power(received.direct)[:FRAMES] * share
    return bands, _decibels(frame_power(sound)[:FRAMES]), _decibels(speech)


def frame_power(audio: np.ndarray) -> np.ndarray:
    """Mean power of the frames as ``dsp.loudness`` measures it, ``[samples // 160]``."""
    power = HannPower(0, len(audio) // HOP, Fraction(RATE), RATE // HOP)
    return power(torch.from_numpy(_padded(audio))[None])[0].numpy()


def _padded(audio: np.ndarray) -> np.ndarray:
    """The first frame is centred at the first sample."""
    return np.pad(audio, (WINDOW // 2, WINDOW))


def _speech_share(power: np.ndarray) -> np.ndarray:
    """Share of the power of a recording's frames that is not the recording's own noise."""
    quiet, loud = np.percentile(_decibels(power), (_QUIET, _LOUD))
    noise = 10 ** (min(quiet + _OWN_NOISE_DB, loud - _LEAST_DB) / 10)
    return np.maximum(power - noise, 0) / np.maximum(power, _TINY)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + _TINY)
