"""The pulse positions of WORLD's synthesis, and how to continue them from window to window.

WORLD places a pulse whenever the integral of F0 from the first sample of the window passes a whole
number. Windows that begin at different times would have pulses at different positions, and their
crossfade would have gaps. So a lead frame is added before each window. Its F0 is chosen so that the
integral has the right fractional part at the beginning of the window.
"""

from __future__ import annotations

import numpy as np

UNVOICED_HZ = 500.0
"""Rate of WORLD's noise pulses in unvoiced frames."""
_LEAD_HZ = 60.0
"""Lowest F0 of the lead frame; the highest is 270 Hz."""


def frequency(f0: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The pulse rate of WORLD between frames.

    Args:
        f0: Hz ``[frames]``, 0 where unvoiced.
        place: positions in frames from the first: ``[samples]``.

    Returns:
        Hz ``[samples]``: linear between frames, or 500 where voicing, interpolated likewise from 0
        and 1, is not above a half.
    """
    frames = np.arange(len(f0))
    voiced = np.interp(place, frames, np.where(f0 > 0, 1.0, 0.0)) > 0.5
    return np.where(voiced, np.interp(place, frames, f0), UNVOICED_HZ)


def lead_f0(first: float, phase: float, hop: float, rate: int) -> float:
    """F0 in Hz of the lead frame, with which the pulses continue the earlier ones.

    Args:
        first: F0 of the window's first frame in Hz, 0 where unvoiced.
        phase: periods since the beginning of the signal, modulo 1, at the last sample that is
            not after that frame.
        hop: samples from frame to frame, possibly fractional.
        rate: samples a second.
    """
    place = np.arange(int(hop) + 1) / hop
    # The sum of the pulse rate over these samples is linear in the F0 of the lead frame. Its weight
    # falls to 0 at the first frame, or where the signal becomes unvoiced.
    fading = 1.0 - place
    voiced = fading > 0.5 if first == 0.0 else np.ones_like(fading, bool)
    slope = fading[voiced].sum() / rate
    rest = (place[voiced].sum() * first + np.count_nonzero(~voiced) * UNVOICED_HZ) / rate
    periods = np.ceil(_LEAD_HZ * slope + rest - phase)
    return float((phase + periods - rest) / slope)


def advance(phase: float, f0: np.ndarray, hop: float, samples: int, rate: int) -> float:
    """The phase ``samples`` later, with ``f0`` and all else as for :func:`lead_f0`."""
    place = (int(hop) - hop + np.arange(1, samples + 1)) / hop
    return (phase + frequency(f0, place).sum() / rate) % 1.0
