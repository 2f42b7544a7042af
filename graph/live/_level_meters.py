"""Level meters: peak and RMS of blocks, and the gain that matches the loudness of two variants."""

from __future__ import annotations

import math

import numpy as np

FLOOR_DB = -120.0

_TRUSTED_S = 2.0
"""Seconds of sound after which the measured gain of a variant is used."""
_TIME_CONSTANT_S = 20.0
"""Time constant in seconds of the exponential average."""
_SOUND_POWER = 10 ** (-50 / 10)
"""Input power from which on a block counts as sound and not as silence."""
_MAX_TRIM_DB = 18.0


def decibels(value: float) -> float:
    """Amplitude relative to full scale in dB, at least ``FLOOR_DB``."""
    return max(FLOOR_DB, 20 * math.log10(value)) if value > 0 else FLOOR_DB


class LevelMeter:
    """Peak and RMS of the newest block, and the number of clipped samples so far.

    Attributes:
        peak: highest magnitude of the newest block.
        rms: root mean square of the newest block.
        clipped: samples at or beyond full scale so far.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self.rms = 0.0
        self.clipped = 0

    def take(self, block: np.ndarray) -> None:
        """Measures a block ``[C, N]``."""
        self.peak = float(max(block.max(), -block.min()))
        flat = block.reshape(-1)
        self.rms = math.sqrt(float(flat @ flat) / flat.size)
        if self.peak >= 1.0:
            self.clipped += int((np.abs(block) >= 1.0).sum())


class GainMeter:
    """Gain of a variant from its input to its output, for loudness matching.

    Two variants never process the same words, so their output levels cannot be compared. The gain
    can: mean output power over mean input power, measured while the input is not silent.

    Attributes:
        measured_s: seconds of sound that were measured.
    """

    def __init__(self) -> None:
        self.measured_s = 0.0
        self._input = self._output = 0.0

    def take(self, rms_in: float, rms_out: float, seconds: float) -> None:
        """Adds the RMS levels of one block of so many seconds."""
        if rms_in * rms_in < _SOUND_POWER or not math.isfinite(rms_in + rms_out):
            return
        keep = math.exp(-seconds / _TIME_CONSTANT_S)
        self._input = keep * self._input + rms_in * rms_in * seconds
        self._output = keep * self._output + rms_out * rms_out * seconds
        self.measured_s += seconds

    @property
    def gain_db(self) -> float | None:
        """The gain in dB; None until enough sound was measured."""
        if self.measured_s < _TRUSTED_S or not self._output or not self._input:
            return None
        return 10 * math.log10(self._output / self._input)


def trim_db(reference: GainMeter, other: GainMeter) -> float:
    """Gain in dB that gives ``other`` the loudness of ``reference``; 0 until both are measured."""
    one, two = reference.gain_db, other.gain_db
    if one is None or two is None:
        return 0.0
    return min(max(one - two, -_MAX_TRIM_DB), _MAX_TRIM_DB)
