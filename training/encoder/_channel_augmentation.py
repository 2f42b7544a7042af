"""Another microphone, line, room and noise, drawn anew for every piece: an encoder hears them all.

All of it in one pass over the spectrum, since it is done at every step of training.
"""

from __future__ import annotations

import numpy as np

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.augmentation import FADES, room

_CLEAN = 0.15
_EQUALISED_DB = 4.0
_LINE, _LINE_HZ = 0.3, (3500.0, 7500.0)
_ROOM, _BEHIND_DB = 0.3, (-16.0, -3.0)
_NOISE, _NOISE_DB = 0.75, (3.0, 40.0)
_SLOPES = (-0.6, 0.15)
_LEVEL_DB = (-14.0, 6.0)


def disturbed(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """``[samples]`` at 16 kHz as it comes over some line, float64; the same count."""
    if random.random() < _CLEAN:
        return audio * _gain(random)
    count = len(audio)
    size = count + round(max(FADES) * RATE)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(audio, size) * _microphone(frequency, random)
    if random.random() < _ROOM:
        spectrum *= np.fft.rfft(room(random, _BEHIND_DB), size)
    made = np.fft.irfft(spectrum, size)[:count]
    if random.random() < _NOISE:
        made = made + _noise(made, random)
    return made * _gain(random)


def _gain(random: np.random.Generator) -> float:
    return 10 ** (random.uniform(*_LEVEL_DB) / 20)


def _microphone(frequency: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Magnitudes: a curve through points an octave apart, and now and then a line."""
    points = np.concatenate(([0.0], np.geomspace(60, RATE / 2, 7)))
    gains = random.normal(0, _EQUALISED_DB, len(points))
    made = 10 ** (np.interp(frequency, points, gains) / 20)
    if random.random() < _LINE:
        made /= np.sqrt(1 + (frequency / random.uniform(*_LINE_HZ)) ** 8)
    return made


def _noise(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise whose magnitude falls or rises with frequency, so far below the speech."""
    spectrum = np.fft.rfft(random.standard_normal(len(audio)))
    frequency = np.maximum(np.fft.rfftfreq(len(audio), 1 / RATE), 50.0)
    noise = np.fft.irfft(spectrum * frequency ** random.uniform(*_SLOPES), len(audio))
    share = 10 ** (-random.uniform(*_NOISE_DB) / 20)
    return noise * share * np.sqrt(np.mean(audio**2) / max(np.mean(noise**2), 1e-20))
