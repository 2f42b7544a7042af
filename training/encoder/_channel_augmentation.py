"""Channel augmentation: a random microphone, room, noise and line for every piece.

Microphone and room are one pass over the spectrum, since every training step does it.
"""

from __future__ import annotations

import numpy as np

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.augmentation import REVERB_S, room_impulse_response

from ._distortions import draw_distortion
from ._noises import Speech, draw_noise

_CLEAN = 0.15
"""Share of the pieces that get no channel. The other shares and ranges follow."""
_EQUALIZER_DB = 4.0
_LINE, _LINE_HZ = 0.3, (3500.0, 7500.0)
_ROOM, _REVERB_DB = 0.3, (-16.0, -3.0)
_NOISE, _NOISE_DB = 0.75, (0.0, 40.0)
_DISTORTED = 0.2
_LEVEL_DB = (-14.0, 6.0)


def random_channel(audio: np.ndarray, random: np.random.Generator, speech: Speech) -> np.ndarray:
    """Speech over a random channel.

    Args:
        audio: ``[samples]`` at 16 kHz.
        random: generator.
        speech: gives other people's speech of that length, for their babble.

    Returns:
        float64 ``[samples]``.
    """
    if random.random() < _CLEAN:
        return audio * _gain(random)
    count = len(audio)
    size = count + round(max(REVERB_S) * RATE)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(audio, size) * _microphone(frequency, random)
    if random.random() < _ROOM:
        spectrum *= np.fft.rfft(room_impulse_response(random, _REVERB_DB), size)
    made = np.fft.irfft(spectrum, size)[:count]
    if random.random() < _NOISE:
        made = made + _scaled(draw_noise(count, random, speech), made, random)
    if random.random() < _DISTORTED:
        made = draw_distortion(made, random)
    return made * _gain(random)


def _gain(random: np.random.Generator) -> float:
    return 10 ** (random.uniform(*_LEVEL_DB) / 20)


def _microphone(frequency: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Magnitude response: random gains an octave apart, and sometimes a low-pass (a line)."""
    points = np.concatenate(([0.0], np.geomspace(60, RATE / 2, 7)))
    gains = random.normal(0, _EQUALIZER_DB, len(points))
    made = 10 ** (np.interp(frequency, points, gains) / 20)
    if random.random() < _LINE:
        made /= np.sqrt(1 + (frequency / random.uniform(*_LINE_HZ)) ** 8)
    return made


def _scaled(noise: np.ndarray, audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise at a random signal-to-noise ratio."""
    share = 10 ** (-random.uniform(*_NOISE_DB) / 20)
    return noise * share * np.sqrt(np.mean(audio**2) / max(np.mean(noise**2), 1e-20))
