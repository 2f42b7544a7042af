"""Noises of many kinds, heard beside a voice: ``[samples]`` at 16 kHz, of any level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from voicegraph.nodes.content.encoder import RATE

Speech = Callable[[], np.ndarray]
"""Gives a piece of somebody's speech, as long as the noise."""
_SLOPES = (-1.0, 0.25)
"""Exponents of the frequency in the magnitude: brown noise to noise that rises."""
_LOWEST_HZ = 50.0
_TALKERS = (2, 7)
_MAINS_HZ, _HARMONICS = (50.0, 60.0), 24
_CLICKS_A_SECOND, _CLICK_S = (0.5, 12.0), (0.001, 0.03)
_NOTES_HZ, _NOTE_S, _PARTIALS = (65.0, 800.0), (0.12, 1.2), 10
_BEAT_HZ = (0.2, 8.0)


Noise = Callable[[int, np.random.Generator], np.ndarray]
"""Makes so many samples of a noise."""


def draw_noise(count: int, random: np.random.Generator, speech: Speech) -> np.ndarray:
    """A noise of a random kind: in half of the cases coloured noise, which is the most frequent."""
    if random.random() < 0.5:
        return coloured(count, random)
    kind = int(random.integers(5))
    if kind == 0:
        return babble(random, speech)
    return (wavering, hum, clicks, music)[kind - 1](count, random)


def coloured(count: int, random: np.random.Generator) -> np.ndarray:
    """Gaussian noise whose magnitude is a power of the frequency."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / RATE), _LOWEST_HZ)
    return np.fft.irfft(spectrum * frequency ** random.uniform(*_SLOPES), count)


def wavering(count: int, random: np.random.Generator) -> np.ndarray:
    """Coloured noise that swells and fades: traffic, wind, waves."""
    time = np.arange(count) / RATE
    phase = 2 * np.pi * (time * random.uniform(*_BEAT_HZ) + random.random())
    return coloured(count, random) * 10 ** (random.uniform(0.2, 1.0) * np.sin(phase))


def hum(count: int, random: np.random.Generator) -> np.ndarray:
    """Harmonics of the mains, a fan or a motor, with a little noise."""
    lowest = random.choice(_MAINS_HZ) if random.random() < 0.5 else random.uniform(40, 400)
    partials = np.arange(1, _HARMONICS + 1)
    heights = random.exponential(size=_HARMONICS) * partials ** -random.uniform(0.5, 2.0)
    made = _tone(lowest, heights, count, random)
    noise = coloured(count, random)
    return made / _size(made) + random.uniform(0.0, 0.5) * noise / _size(noise)


def clicks(count: int, random: np.random.Generator) -> np.ndarray:
    """Short bursts at random times: keys, dishes, steps, rain."""
    made = np.zeros(count)
    for _ in range(1 + random.poisson(random.uniform(*_CLICKS_A_SECOND) * count / RATE)):
        length = int(random.uniform(*_CLICK_S) * RATE)
        start = int(random.integers(count))
        burst = random.standard_normal(length) * np.exp(-6 * np.arange(length) / length)
        made[start : start + length] += random.exponential() * burst[: count - start]
    return made + 0.003 * random.standard_normal(count)


def babble(random: np.random.Generator, speech: Speech) -> np.ndarray:
    """Several people who speak at once."""
    voices = [speech() for _ in range(random.integers(*_TALKERS))]
    return np.sum([voice / _size(voice) * random.uniform(0.3, 1.0) for voice in voices], axis=0)


def music(count: int, random: np.random.Generator) -> np.ndarray:
    """Notes of a scale with overtones and chords, and sometimes a beat: like music."""
    made = np.zeros(count)
    root, decay = random.uniform(*_NOTES_HZ), random.uniform(0.5, 6.0)
    heights = random.exponential(size=_PARTIALS) / np.arange(1, _PARTIALS + 1)
    beat, at = random.uniform(*_NOTE_S), 0.0
    while at * RATE < count:
        start, length = int(at * RATE), int(beat * random.choice((1, 2, 4)) * RATE)
        length = min(length, count - start)
        for _ in range(random.integers(1, 4)):
            step = random.choice((0, 2, 4, 5, 7, 9, 11, 12))
            note = _tone(root * 2 ** (step / 12), heights, length, random)
            made[start : start + length] += note * np.exp(-decay * np.arange(length) / RATE)
        if random.random() < 0.3:
            made[start : start + length] += _drum(length, random) * _size(made)
        at += beat
    return made


def _drum(count: int, random: np.random.Generator) -> np.ndarray:
    fading = np.exp(-np.arange(count) / RATE * random.uniform(8, 40))
    return 3 * random.standard_normal(count) * fading


def _tone(
    lowest: float, heights: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """Harmonics below 8 kHz with random phases."""
    time, made = np.arange(count) / RATE, np.zeros(count)
    for number, height in enumerate(heights, 1):
        if number * lowest < RATE / 2:
            made += height * np.sin(2 * np.pi * (number * lowest * time + random.random()))
    return made


def _size(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound**2))) + 1e-9
