"""The step copies: augmented copies of each utterance, with another voice, room and channel.

An utterance and its copies have only the words in common. A synthesizer that is trained on the
content features of both cannot rely on traces that the speaker leaves in them.

Source of the idea: H.-S. Choi et al., "Neural analysis and synthesis: reconstructing speech from
self-supervised representations", NeurIPS 2021 (information perturbation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, fftconvolve, firwin2, sosfilt

from voicegraph.experiments.task import Result, Results
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE
from voicegraph.nodes.world import world_library

from ._sound_work import SoundWork, as_flac, load_for_encoder

REVERB_S = (0.15, 0.6)
"""Shortest and longest reverberation time (60 dB) of a synthetic room, in seconds."""
COPY_MEDIAN_HZ = (86.0, 248.0)
"""Range of the median F0 of copies."""
COPY_FORMANTS = (0.82, 1.22)
"""Range of the factor on formant frequencies."""
_HOP_MS = 5.0
_FLOOR_HZ, _CEILING_HZ, _TOLERANCE = 71.0, 800.0, 0.1
"""WORLD's own defaults."""


@dataclass(frozen=True, slots=True)
class CopyWork(SoundWork):
    """Makes one copy of an utterance.

    Attributes:
        draws: what decides all random draws: the seed, and the numbers of utterance and copy.
    """

    draws: tuple[int, int, int]

    def run(self, needs: Results) -> Result:
        """``flac`` at 16 kHz, as :func:`~._sound_work.as_flac`."""
        random = np.random.default_rng([*self.draws])
        audio = load_for_encoder(self.sound.checked())
        audio = random_voice(audio, random)
        audio = random_channel(audio, random)
        audio *= min(1.0, 0.99 / max(np.abs(audio).max(), 1e-9))
        return Result({"flac": as_flac(audio, ENCODER_RATE)})


def random_voice(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same speech in a random other voice: ``[samples]``, the same count."""
    warp = log_uniform(random, *COPY_FORMANTS)
    return resynthesize(audio, warp, log_uniform(random, *COPY_MEDIAN_HZ))


def resynthesize(audio: np.ndarray, warp: float, median_hz: float) -> np.ndarray:
    """WORLD's resynthesis with other pitch and formants.

    Args:
        audio: float64 ``[samples]`` at 16 kHz.
        warp: factor on the formant frequencies.
        median_hz: median F0 of the result.

    Returns:
        float64 ``[samples]``, the same count.
    """
    size = world_library.fft_size(ENCODER_RATE, _FLOOR_HZ)
    coarse, times = world_library.dio(
        audio, ENCODER_RATE, _FLOOR_HZ, _CEILING_HZ, _HOP_MS, _TOLERANCE
    )
    f0 = world_library.refine(audio, coarse, times, ENCODER_RATE)
    envelope = world_library.envelope(audio, f0, times, ENCODER_RATE, size)
    noise = world_library.aperiodicity(audio, f0, times, ENCODER_RATE, size)
    voiced = f0[f0 > 0]
    median = float(np.median(voiced)) if len(voiced) else 150.0
    f0 *= median_hz / median
    made = world_library.synthesize(
        f0, warp_frequency(envelope, warp), warp_frequency(noise, warp), ENCODER_RATE, _HOP_MS
    )
    return np.resize(np.pad(made, (0, max(len(audio) - len(made), 0))), len(audio))


def random_channel(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Random microphone response and level; sometimes a low-pass, a room, noise."""
    audio = _random_microphone(audio, random)
    if random.random() < 0.3:
        low_pass = butter(4, random.uniform(3500, 7500), fs=ENCODER_RATE, output="sos")
        audio = np.asarray(sosfilt(low_pass, audio))
    if random.random() < 0.3:
        audio = fftconvolve(audio, room_impulse_response(random))[: len(audio)]
    if random.random() < 0.7:
        audio = audio + _noise(audio, random)
    return audio * 10 ** (random.uniform(-10, 6) / 20)


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """Uniform on a logarithmic scale."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def warp_frequency(spectrum: np.ndarray, factor: float) -> np.ndarray:
    """Moves what is at frequency f to f * factor: ``[frames, bins]``, contiguous for WORLD."""
    bins = spectrum.shape[1]
    source = np.minimum(np.arange(bins) / factor, bins - 1)
    below = np.minimum(source.astype(int), bins - 2)
    share = source - below
    return np.ascontiguousarray(spectrum[:, below] * (1 - share) + spectrum[:, below + 1] * share)


def _random_microphone(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    points = np.concatenate(([0.0], np.geomspace(60, ENCODER_RATE / 2, 7)))
    gains = random.normal(0, 4, len(points))
    gains[0] = gains[1]
    taps = firwin2(255, points, 10 ** (gains / 20), fs=ENCODER_RATE)
    return fftconvolve(audio, taps, "same")


def room_impulse_response(
    random: np.random.Generator, reverb_db: tuple[float, float] = (-14.0, -3.0)
) -> np.ndarray:
    """A synthetic room: the direct sound, then noise that decays within ``REVERB_S``.

    Args:
        random: generator.
        reverb_db: range of the noise's level relative to the direct sound.

    Returns:
        float64 ``[samples]`` at 16 kHz.
    """
    count = int(random.uniform(*REVERB_S) * ENCODER_RATE)
    tail = random.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail *= 10 ** (random.uniform(*reverb_db) / 20) / np.sqrt(np.sum(tail**2))
    tail[: int(random.uniform(0.002, 0.02) * ENCODER_RATE)] = 0
    tail[0] = 1.0
    return tail


def _noise(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Coloured noise, power from f^-1 to f^0.25, 12 to 40 dB below the speech."""
    spectrum = np.fft.rfft(random.standard_normal(len(audio)))
    frequency = np.maximum(np.arange(len(spectrum)) * ENCODER_RATE / len(audio), 50.0)
    coloured = np.fft.irfft(spectrum * frequency ** random.uniform(-0.5, 0.125), len(audio))
    wanted = np.sqrt(np.mean(audio**2)) * 10 ** (-random.uniform(12, 40) / 20)
    return coloured * wanted / max(np.sqrt(np.mean(coloured**2)), 1e-12)
