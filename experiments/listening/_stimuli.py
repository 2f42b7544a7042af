"""The sounds of a test: one rate, one length a trial, one loudness."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import soxr
from scipy.signal import firwin, oaconvolve

from ._loudness import RATE, loudness
from .listening_test import ListeningTest

LONGEST_S = 12.0
"""Longer sounds are cut: ITU-R BS.1534-3, section 5.2; webMUSHRA refuses them."""
TARGET_LUFS = -23.0
"""Loudness of all sounds (EBU R 128), less if one of them would be clipped."""
_HEADROOM = 10 ** (-1 / 20)
_FADE_S = 0.02
_ANCHOR_HZ = 3500.0


def prepared_sounds(
    test: ListeningTest, read: Callable[[str], tuple[np.ndarray, int]]
) -> Mapping[str, np.ndarray]:
    """File name -> float32 ``[samples]`` at 48 kHz, all at one loudness.

    Args:
        test: the test.
        read: a sound by its key; raises KeyError if it is not there.
    """
    sounds = {
        stimulus.file: _anchor(sound) if stimulus.role == "anchor" else sound
        for stimuli in test.trials().values()
        for stimulus, sound in zip(
            stimuli, _equally_long([_at_rate(*read(s.key)) for s in stimuli]), strict=True
        )
    }
    gains = {name: _gain_db(sound) for name, sound in sounds.items()}
    peaks = [np.abs(sound).max() * 10 ** (gains[name] / 20) for name, sound in sounds.items()]
    lower = min(1.0, _HEADROOM / max([*peaks, 1e-9]))
    return {
        name: (sound * (lower * 10 ** (gains[name] / 20))).astype(np.float32)
        for name, sound in sounds.items()
    }


def _at_rate(audio: np.ndarray, rate: int) -> np.ndarray:
    sound = soxr.resample(audio.astype(np.float32), rate, RATE)
    most = round(LONGEST_S * RATE)
    if len(sound) > most:
        sound = sound[:most].copy()
        fade = round(_FADE_S * RATE)
        sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound


def _equally_long(sounds: list[np.ndarray]) -> list[np.ndarray]:
    """Silence at the end, so that sounds of a page repeat together."""
    most = max(map(len, sounds))
    return [np.pad(sound, (0, most - len(sound))) for sound in sounds]


def _gain_db(sound: np.ndarray) -> float:
    """Towards the target; silence stays as it is."""
    found = loudness(sound)
    return 0.0 if found is None else TARGET_LUFS - found


def _anchor(sound: np.ndarray) -> np.ndarray:
    """The low anchor: a low-pass at 3.5 kHz (ITU-R BS.1534-3, section 5.1)."""
    taps = firwin(511, _ANCHOR_HZ, fs=RATE)
    return oaconvolve(sound, taps, mode="same").astype(np.float32)
