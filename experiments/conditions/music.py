"""Adds music: a small band that plays chords, bass, a melody and drums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import add_at_snr

_BEATS_A_MINUTE = (84, 132)
_BEATS_A_CHORD = 4
_PROGRESSIONS = ((0, 7, 9, 5), (0, 9, 5, 7), (9, 5, 0, 7), (0, 5, 7, 5))
"""Roots of chords in semitones above the key, as songs have them."""
_MINOR = (2, 4, 9)
"""Roots above which the third is minor."""
_SCALE = (0, 2, 4, 7, 9)
_LOWEST_HZ = (55.0, 104.0)
"""Range of the key note of the bass."""
_DECAY_S = 0.6
_HIGHEST_HZ, _HARMONICS = 7000.0, 12


class MusicParams(Params):
    """Params of ``music``."""

    music: Literal["band"]
    """``band``: synthetic music, another piece for each clip."""
    snr: Annotated[float, Field(ge=-30, le=80)]
    """Signal-to-noise ratio in dB, over the whole clip."""


@condition("music")
class Music(Condition):
    """Synthetic music: harmonic and in time, unlike noise, with onsets, bass and drums.

    Key, tempo, chords and melody are drawn. Nobody sings. For recorded music give files:
    ``{noise: {files: music/*.flac}, snr: 10}``.
    """

    text = "synthetic music (chords, bass, melody, drums) at an exact SNR"
    params = MusicParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Adds the music."""
        assert isinstance(given, MusicParams)
        random = np.random.Generator(np.random.Philox(key=seed))
        return add_at_snr(audio, band(len(audio), rate, random), given.snr), {}


def band(samples: int, rate: int, random: np.random.Generator) -> np.ndarray:
    """A piece of music, float64 ``[samples]``, which begins with a beat."""
    beat_s = 60 / random.uniform(*_BEATS_A_MINUTE)
    key_hz = random.uniform(*_LOWEST_HZ)
    chords = _PROGRESSIONS[random.integers(len(_PROGRESSIONS))]
    played = np.zeros(samples)
    for beat in range(int(samples / (beat_s * rate)) + 1):
        root = chords[beat // _BEATS_A_CHORD % len(chords)]
        for late, sound in _beat(key_hz, root, beat, rate, random):
            at = round((beat + late) * beat_s * rate)
            part = sound[: max(0, samples - at)]
            played[at : at + len(part)] += part
    return played


def _beat(
    key_hz: float, root: int, beat: int, rate: int, random: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    """What sounds in a beat: when, in beats after it, and the sound."""
    third = 3 if root in _MINOR else 4
    yield 0.0, _note(key_hz * 2 ** (root / 12), 0.5, rate, random)
    for step in (0, third, 7):
        yield 0.0, _note(4 * key_hz * 2 ** ((root + step) / 12), 0.2, rate, random)
    for late in (0.0, 0.5):
        if random.random() < 0.7:
            step = _SCALE[random.integers(len(_SCALE))]
            yield late, _note(8 * key_hz * 2 ** (step / 12), 0.25, rate, random)
    if beat % 2 == 0:
        yield 0.0, _drum(rate)
    else:
        yield 0.0, _hiss(0.12, 0.3, rate, random)
    yield 0.5, _hiss(0.04, 0.12, rate, random)


def _note(hz: float, gain: float, rate: int, random: np.random.Generator) -> np.ndarray:
    """A plucked note: harmonics that fall as 1/k and decay, the higher ones sooner."""
    time = np.arange(round(2 * _DECAY_S * rate)) / rate
    count = int(min(_HARMONICS, min(_HIGHEST_HZ, rate / 2) / hz))
    phases = random.uniform(0, 2 * np.pi, max(count, 1))
    parts = (
        np.sin(2 * np.pi * k * hz * time + phases[k - 1])
        / k
        * np.exp(-time * (1 + k / 2) / _DECAY_S)
        for k in range(1, count + 1)
    )
    attack = np.minimum(time / 0.004, 1.0)
    return gain * attack * sum(parts, np.zeros(len(time)))


def _drum(rate: int) -> np.ndarray:
    """A bass drum: a sine that falls from 130 to 50 Hz."""
    time = np.arange(round(0.25 * rate)) / rate
    phase = 50 * time + 80 * 0.04 * (1 - np.exp(-time / 0.04))
    return np.sin(2 * np.pi * phase) * np.exp(-time / 0.08)


def _hiss(decay_s: float, gain: float, rate: int, random: np.random.Generator) -> np.ndarray:
    """A snare drum or a cymbal: bright noise that decays."""
    time = np.arange(round(3 * decay_s * rate)) / rate
    bright = np.diff(random.standard_normal(len(time) + 1))
    return gain * bright * np.exp(-time / decay_s)
