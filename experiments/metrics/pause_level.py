"""Level of the pauses of an output: where its source pauses, and how loud the output is there."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion, uniform_filter1d

_QUIET, _LOUD = 5, 95
"""Percentiles of the level that are taken for the room's noise and for the speaker."""
_ABOVE_ROOM_DB = 6.0
_SILENT_DB, _SPEECH_DB = 45.0, 20.0
"""Relative to the speaker: frames below the first are pauses, frames above the second speech."""
_SMOOTHED = 5
"""Frames over which the level is averaged, since that of a room fluctuates."""
_MARGIN = 5
"""Frames at either end of a pause that do not count: speech decays, and frames overlap."""
_ONSET = 50
"""Frames at the beginning in which the noise estimate has not settled."""
_SHORTEST = 15
"""Fewest frames of pauses for a measurement."""


def speech_and_pauses(level: np.ndarray, f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks ``[frames]`` of the speech and of the pauses of a clean clip.

    Levels are averaged over 50 ms. Frames within 20 dB of the 95th percentile are speech. Unvoiced
    frames within 6 dB of the 5th percentile, or 45 dB below the 95th, are pauses, without 50 ms at
    either end (except at the beginning of the clip). Other frames, such as breath, are neither.

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
    """Mean power of an output in pauses relative to that in speech, in dB.

    Args:
        made: level of the output, dB ``[frames]``.
        clean: level of the clean source, which decides where the pauses are; time-aligned.
        f0: of the clean source.

    Returns:
        NaN if the clip has less than 0.15 s of pauses.
    """
    speech, pauses, power = _cut(made, clean, f0)
    if pauses.sum() < _SHORTEST:
        return float("nan")
    return float(10 * np.log10(power[pauses].mean() / power[speech].mean()))


def pause_energy_after_onset(made: np.ndarray, clean: np.ndarray, f0: np.ndarray) -> float:
    """The same without the first half second, in which the noise estimate settles.

    Args and NaN as for :func:`pause_energy`.
    """
    return pause_energy(made[_ONSET:], clean[_ONSET:], f0[_ONSET:])


def loudest_pause(made: np.ndarray, clean: np.ndarray, f0: np.ndarray) -> float:
    """The loudest 25 ms of the pauses relative to the mean of speech, in dB: shows bursts.

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
    if not count:
        return np.zeros(0, bool), np.zeros(0, bool), np.zeros(0)
    speech, pauses = (mask[:count] for mask in speech_and_pauses(clean, f0))
    return speech, pauses, 10 ** (made[:count] / 10)
