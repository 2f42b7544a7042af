"""Where WORLD's synthesis sets its pulses, and how to make it go on where it stopped.

WORLD sets a pulse whenever the integral of F0 from the window's first sample on passes a whole
number, so windows that begin at different times would have pulses at different places, and a
crossfade between two of them a hole. A frame in front of the window, whose F0 is chosen so that the
integral comes to the wanted fraction where the window begins, makes all windows agree.
"""

from __future__ import annotations

import numpy as np

UNVOICED_HZ = 500.0
"""Rate of WORLD's noise pulses where there is no voice."""
_LEAD_HZ = 60.0
"""The lead frame's F0 is this, or higher by what makes one period more: at most 270 Hz."""


def frequency(f0: np.ndarray, place: np.ndarray) -> np.ndarray:
    """WORLD's pulses a second between frames.

    Args:
        f0: Hz ``[frames]``, 0 where unvoiced.
        place: where, in frames from the first: ``[samples]``.

    Returns:
        Hz ``[samples]``: linear between frames, or 500 where voicing, interpolated likewise from 0
        and 1, is not above a half.
    """
    frames = np.arange(len(f0))
    voiced = np.interp(place, frames, np.where(f0 > 0, 1.0, 0.0)) > 0.5
    return np.where(voiced, np.interp(place, frames, f0), UNVOICED_HZ)


def lead_f0(first: float, phase: float, hop: float, rate: int) -> float:
    """F0 in Hz of a frame before a window, so that its pulses are those of an endless signal.

    Args:
        first: F0 of the window's first frame in Hz, 0 where unvoiced.
        phase: periods since the endless signal's beginning, modulo 1, at the last sample that is
            not after that frame.
        hop: samples from frame to frame; need not be whole.
        rate: samples a second.
    """
    place = np.arange(int(hop) + 1) / hop
    # The sum of the frequency over these samples is linear in the lead frame's F0, which fades out
    # until the first frame is reached, or until it is unvoiced.
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
