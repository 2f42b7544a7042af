"""Sounds that plug-ins are checked with: speech, the same with noise, and what breaks programs."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.signals import Audio

RATE = 16000
SECONDS = 4
PAUSE_S = (1.5, 2.3)
_PAUSE_LEVEL = 10 ** (-70 / 20)
SNR_DB = (20.0, 5.0, -10.0)
"""Steps of noise, far enough apart that a measure which falls with noise cannot miss them."""


@functools.cache
def speech(rate: int = RATE) -> np.ndarray:
    """Four seconds of the bundled recording, with a pause: float32 ``[samples]``, read-only."""
    whole = bundled_recording.speech(Audio(Fraction(rate), 1))[0]
    first, last = (round(seconds * rate) for seconds in (PAUSE_S[0], SECONDS - PAUSE_S[1]))
    random = np.random.Generator(np.random.Philox(key=2))
    pause = _PAUSE_LEVEL * random.standard_normal(SECONDS * rate - first - last)
    made = np.concatenate((whole[:first], pause, whole[first:][:last])).astype(np.float32)
    made.setflags(write=False)
    return made


def noisy(snr_db: float) -> np.ndarray:
    """The speech with white noise: float32 ``[samples]`` at 16 kHz."""
    clean = speech().astype(np.float64)
    noise = np.random.Generator(np.random.Philox(key=1)).standard_normal(len(clean))
    gain = np.sqrt(np.mean(clean**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return (clean + gain * noise).astype(np.float32)


def odd() -> dict[str, np.ndarray]:
    """Sounds that must give a number or a reason, by name: float32 ``[samples]`` at 16 kHz."""
    impulse = np.zeros(RATE, np.float32)
    impulse[RATE // 2] = 1.0
    return {
        "silence": np.zeros(RATE, np.float32),
        "10 ms": speech()[: RATE // 100],
        "no sample": np.zeros(0, np.float32),
        "NaN": np.full(RATE, np.nan, np.float32),
        "one NaN": np.where(np.arange(RATE) == 99, np.float32(np.nan), speech()[:RATE]),
        "infinity": np.full(RATE, np.inf, np.float32),
        "an impulse": impulse,
        "a constant": np.full(RATE, 0.5, np.float32),
        "beyond full scale": 100 * speech()[:RATE],
        "very quiet": np.float32(1e-6) * speech()[:RATE],
        "120 ms": speech()[:1920],
    }
