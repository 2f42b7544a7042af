"""Channel augmentation: a random microphone, room, noise and line for every piece.

Microphone and room are one pass over the spectrum, since every training step does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.augmentation import REVERB_S, room_impulse_response

from .distortions import draw_distortion
from .noises import Speech, draw_noise

_EQUALIZER_DB = 4.0
_LINE_HZ = (3500.0, 7500.0)
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Odds:
    """How often a piece of speech gets what, and how much of it; by default as encoders learn.

    Attributes:
        clean: share of the pieces that get nothing but a gain; the other shares are of the rest.
        line: share with a low-pass.
        room: share in a room.
        reverb_db: level of its reverberation relative to the direct sound.
        noise: share with noise.
        noise_db: signal-to-noise ratio.
        distorted: share through a distorting line.
        level_db: gain.
    """

    clean: float = 0.15
    line: float = 0.3
    room: float = 0.3
    reverb_db: Range = (-16.0, -3.0)
    noise: float = 0.75
    noise_db: Range = (0.0, 40.0)
    distorted: float = 0.2
    level_db: Range = (-14.0, 6.0)


@dataclass(frozen=True, slots=True)
class Received:
    """Speech at the end of a channel, float64 ``[samples]`` each, at 16 kHz.

    Attributes:
        sound: all that is heard.
        direct: the speech in it, by the same microphone at the same level, without room, noise and
            distortion.
    """

    sound: np.ndarray
    direct: np.ndarray


def random_channel(
    audio: np.ndarray, random: np.random.Generator, speech: Speech, odds: Odds
) -> Received:
    """Speech over a random channel.

    Args:
        audio: ``[samples]`` at 16 kHz.
        random: generator.
        speech: gives other people's speech of that length, for their babble.
        odds: what comes how often.
    """
    if random.random() < odds.clean:
        made = audio * _gain(odds, random)
        return Received(made, made)
    count = len(audio)
    size = count + round(max(REVERB_S) * RATE)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(audio, size) * _microphone(frequency, odds, random)
    direct = made = np.fft.irfft(spectrum, size)[:count]
    if random.random() < odds.room:
        spectrum *= np.fft.rfft(room_impulse_response(random, odds.reverb_db), size)
        made = np.fft.irfft(spectrum, size)[:count]
    if random.random() < odds.noise:
        made = made + _scaled(draw_noise(count, random, speech), made, odds, random)
    if random.random() < odds.distorted:
        made = draw_distortion(made, random)
    gain = _gain(odds, random)
    return Received(made * gain, direct * gain)


def _gain(odds: Odds, random: np.random.Generator) -> float:
    return 10 ** (random.uniform(*odds.level_db) / 20)


def _microphone(frequency: np.ndarray, odds: Odds, random: np.random.Generator) -> np.ndarray:
    """Magnitude response: random gains an octave apart, and sometimes a low-pass (a line)."""
    points = np.concatenate(([0.0], np.geomspace(60, RATE / 2, 7)))
    gains = random.normal(0, _EQUALIZER_DB, len(points))
    made = 10 ** (np.interp(frequency, points, gains) / 20)
    if random.random() < odds.line:
        made /= np.sqrt(1 + (frequency / random.uniform(*_LINE_HZ)) ** 8)
    return made


def _scaled(
    noise: np.ndarray, audio: np.ndarray, odds: Odds, random: np.random.Generator
) -> np.ndarray:
    """Noise at a random signal-to-noise ratio."""
    share = 10 ** (-random.uniform(*odds.noise_db) / 20)
    return noise * share * np.sqrt(np.mean(audio**2) / max(np.mean(noise**2), 1e-20))
