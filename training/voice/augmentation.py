"""The step copies: they say the same with another voice, in another room, over another line.

What is left in common between an utterance and its copies is what is said. Trained on the content
features of both, a synthesizer cannot rely on traces that the speaker leaves in them.

Source of the idea: H.-S. Choi et al., "Neural analysis and synthesis: reconstructing speech from
self-supervised representations", NeurIPS 2021 (information perturbation).
"""

from __future__ import annotations

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, firwin2, sosfilt

from voicegraph.graph.errors import InputError, Problem
from voicegraph.nodes.world import world_library

from .workdir import COPIES, RATE, Workplace, write_speech

LISTENING = 16000
"""Samples a second that content encoders take."""
_LOWEST_HZ, _HIGHEST_HZ = 86.0, 248.0
"""Medians of pitch that copies are given."""
_FORMANTS = (0.82, 1.22)
FADES = (0.15, 0.6)
"""Seconds in which a synthetic room fades by 60 dB."""
_HOP_MS = 5.0
_FLOOR_HZ, _CEILING_HZ, _TOLERANCE = 71.0, 800.0, 0.1
"""WORLD's own values."""


def jobs(place: Workplace, seed: int) -> list[tuple]:
    """What is still to be made."""
    return [
        (place, number, copy, seed)
        for number in place.spoken()
        for copy in range(COPIES)
        if not place.copy(number, copy).exists()
    ]


def perturb(place: Workplace, number: int, copy: int, seed: int) -> None:
    """One copy, as 16-bit FLAC."""
    random = np.random.default_rng([seed, number, copy])
    audio = listening(place, number)
    audio = another_voice(audio, random)
    audio = another_line(audio, random)
    audio *= min(1.0, 0.99 / max(np.abs(audio).max(), 1e-9))
    write_speech(place.copy(number, copy), audio, LISTENING)


def listening(place: Workplace, number: int) -> np.ndarray:
    """An utterance as content encoders hear it: ``[samples]`` float64 at 16 kHz.

    Raises:
        InputError: if the file has another rate than speech is kept at.
    """
    audio, rate = soundfile.read(place.speech(number))
    if rate != RATE:
        text = f"{place.speech(number)} has {rate} Hz, expected {RATE}"
        fix = f"remove {place.root} and make the voice again"
        raise InputError(Problem("wrong-rate", text, fix=fix))
    return soxr.resample(audio, rate, LISTENING)


def another_voice(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random other voice: ``[samples]``, the same count."""
    warp = _between(random, *_FORMANTS)
    return resynthesized(audio, warp, _between(random, _LOWEST_HZ, _HIGHEST_HZ))


def resynthesized(audio: np.ndarray, warp: float, median_hz: float) -> np.ndarray:
    """WORLD's resynthesis with another pitch and formants: ``[samples]`` at 16 kHz, as many.

    Args:
        audio: float64 ``[samples]``.
        warp: factor on the frequencies of the formants.
        median_hz: of the pitch.
    """
    size = world_library.fft_size(LISTENING, _FLOOR_HZ)
    coarse, times = world_library.dio(audio, LISTENING, _FLOOR_HZ, _CEILING_HZ, _HOP_MS, _TOLERANCE)
    f0 = world_library.refine(audio, coarse, times, LISTENING)
    envelope = world_library.envelope(audio, f0, times, LISTENING, size)
    noise = world_library.aperiodicity(audio, f0, times, LISTENING, size)
    voiced = f0[f0 > 0]
    median = float(np.median(voiced)) if len(voiced) else 150.0
    f0 *= median_hz / median
    made = world_library.synthesize(
        f0, _warped(envelope, warp), _warped(noise, warp), LISTENING, _HOP_MS
    )
    return np.resize(np.pad(made, (0, max(len(audio) - len(made), 0))), len(audio))


def another_line(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Another microphone, now and then a line, a room, noise; another level."""
    audio = _equalised(audio, random)
    if random.random() < 0.3:
        lines = butter(4, random.uniform(3500, 7500), fs=LISTENING, output="sos")
        audio = np.asarray(sosfilt(lines, audio))
    if random.random() < 0.3:
        audio = fftconvolve(audio, room(random))[: len(audio)]
    if random.random() < 0.7:
        audio = audio + _noise(audio, random)
    return audio * 10 ** (random.uniform(-10, 6) / 20)


def _between(random: np.random.Generator, low: float, high: float) -> float:
    """Evenly on a logarithmic scale."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _warped(spectrum: np.ndarray, factor: float) -> np.ndarray:
    """What is at frequency f moved to f * factor: ``[frames, bins]``, without gaps, for WORLD."""
    bins = spectrum.shape[1]
    place = np.minimum(np.arange(bins) / factor, bins - 1)
    below = np.minimum(place.astype(int), bins - 2)
    share = place - below
    return np.ascontiguousarray(spectrum[:, below] * (1 - share) + spectrum[:, below + 1] * share)


def _equalised(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    points = np.concatenate(([0.0], np.geomspace(60, LISTENING / 2, 7)))
    gains = random.normal(0, 4, len(points))
    gains[0] = gains[1]
    taps = firwin2(255, points, 10 ** (gains / 20), fs=LISTENING)
    return fftconvolve(audio, taps, "same")


def room(random: np.random.Generator, behind_db: tuple[float, float] = (-14.0, -3.0)) -> np.ndarray:
    """A synthetic room: noise that fades by 60 dB within ``FADES``, behind the direct sound.

    Args:
        random: what it is drawn from.
        behind_db: between which levels the noise lies, by the direct sound.
    """
    count = int(random.uniform(*FADES) * LISTENING)
    tail = random.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail *= 10 ** (random.uniform(*behind_db) / 20) / np.sqrt(np.sum(tail**2))
    tail[: int(random.uniform(0.002, 0.02) * LISTENING)] = 0
    tail[0] = 1.0
    return tail


def _noise(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise whose spectrum falls by f^-1 to f^0.25 in power, 12 to 40 dB below the speech."""
    spectrum = np.fft.rfft(random.standard_normal(len(audio)))
    frequency = np.maximum(np.arange(len(spectrum)) * LISTENING / len(audio), 50.0)
    coloured = np.fft.irfft(spectrum * frequency ** random.uniform(-0.5, 0.125), len(audio))
    wanted = np.sqrt(np.mean(audio**2)) * 10 ** (-random.uniform(12, 40) / 20)
    return coloured * wanted / max(np.sqrt(np.mean(coloured**2)), 1e-12)
