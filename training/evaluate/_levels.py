"""How loud audio is, every 10 ms, and where its speaker pauses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from scipy.ndimage import binary_erosion, uniform_filter1d

from voicegraph.nodes.dsp.hann_power import hann_power, window_samples
from voicegraph.training.voice.augmentation import LISTENING

FRAMES_HZ = 100
_LEAST = 1e-12
"""-120 dB of full scale."""
_QUIET, _LOUD = 5, 95
"""Percentiles of the level that stand for the room and for the speaker."""
_ABOVE_ROOM_DB = 6.0
_SILENT_DB, _SPEECH_DB = 45.0, 20.0
"""Below the speaker: what is quieter is a pause in any room, and what is louder is speech."""
_SMOOTHED = 5
"""Frames over which the level is averaged: that of a room comes and goes."""
_MARGIN = 5
"""Frames at either end of a pause that do not count: sounds fade, and frames overlap."""
_OPENING = 50
"""Frames of the beginning, in which the noise of a room is not known yet."""
_SHORTEST = 15
"""Frames of pauses that a clip must have for them to be measured."""


def levels(audio: np.ndarray) -> np.ndarray:
    """Level in dB of full scale around 0, 10, 20 ... ms, -120 at the least.

    Args:
        audio: ``[samples]`` at 16 kHz.
    """
    rate = Fraction(LISTENING)
    padded = torch.from_numpy(np.pad(np.asarray(audio, np.float64), window_samples(rate) // 2))
    count = len(audio) * FRAMES_HZ // LISTENING + 1
    power = hann_power(padded[None], 0, count, rate, FRAMES_HZ)[0].numpy()
    return 10 * np.log10(power + _LEAST)


def parted(level: np.ndarray, f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which frames of a clean clip are speech, and which pauses: two masks ``[frames]``.

    Levels are averaged over 50 ms. Speech is what lies within 20 dB of the 95th percentile. A pause
    is what lies within 6 dB of the 5th or 45 dB below the 95th, is no speech and unvoiced, without
    50 ms at either end (but from the very beginning). What is neither, such as breath, does not
    count.

    Args:
        level: dB ``[frames]``.
        f0: Hz ``[frames]``, 0 where unvoiced.
    """
    smooth = uniform_filter1d(level, _SMOOTHED)
    room, loud = np.percentile(smooth, [_QUIET, _LOUD])
    speech = smooth > loud - _SPEECH_DB
    quiet = (smooth < max(room + _ABOVE_ROOM_DB, loud - _SILENT_DB)) & ~speech
    quiet &= f0 == 0
    wide = np.concatenate((np.ones(_MARGIN, bool), quiet, np.zeros(_MARGIN, bool)))
    return speech, binary_erosion(wide, np.ones(2 * _MARGIN + 1))[_MARGIN:-_MARGIN]


def pause_energy(made: np.ndarray, clean: np.ndarray, f0: np.ndarray) -> float:
    """Mean power of an output in pauses by that in speech, in dB.

    Args:
        made: its level, ``[frames]``.
        clean: that of the clean source, which decides what is a pause; aligned.
        f0: of the clean source.

    Returns:
        NaN if the clip pauses for less than 0.15 s.
    """
    speech, pauses, power = _cut(made, clean, f0)
    if pauses.sum() < _SHORTEST:
        return float("nan")
    return float(10 * np.log10(power[pauses].mean() / power[speech].mean()))


def later_pauses(made: np.ndarray, clean: np.ndarray, f0: np.ndarray) -> float:
    """The same from half a second on, when what is running knows the room.

    Args and NaN as for :func:`pause_energy`.
    """
    return pause_energy(made[_OPENING:], clean[_OPENING:], f0[_OPENING:])


def loudest_pause(made: np.ndarray, clean: np.ndarray, f0: np.ndarray) -> float:
    """The loudest 25 ms of the pauses by the mean of speech, in dB: bursts show here.

    Args and NaN as for :func:`pause_energy`.
    """
    speech, pauses, power = _cut(made, clean, f0)
    if pauses.sum() < _SHORTEST:
        return float("nan")
    return float(10 * np.log10(power[pauses].max() / power[speech].mean()))


def _cut(
    made: np.ndarray, clean: np.ndarray, f0: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = min(len(made), len(clean))
    speech, pauses = (mask[:count] for mask in parted(clean, f0))
    return speech, pauses, 10 ** (made[:count] / 10)
