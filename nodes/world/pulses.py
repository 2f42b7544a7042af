"""Where WORLD's synthesis sets its pulses, and how to make it go on where it stopped.

WORLD sets a pulse whenever the integral of F0 from the window's first sample on passes a whole
number, so windows that begin at different times have pulses at different places. A frame in front
of the window, whose F0 is chosen so that the integral has the wanted fraction where the window
begins, makes all windows set them at the same places.
"""

from __future__ import annotations

import numpy as np

UNVOICED_HZ = 500.0
"""Rate of WORLD's noise pulses where there is no voice."""
_LEAD_HZ = 60.0
"""The lead frame's F0 is this or up to 270 Hz more."""


def frequency(f0: np.ndarray, frame_rate: float, times: np.ndarray) -> np.ndarray:
    """WORLD's pulses a second at ``times`` (seconds after the first frame).

    Linear between frames; where voicing, interpolated likewise, is not above a half, 500 Hz.
    """
    place = times * frame_rate
    grid = np.arange(len(f0))
    voiced = np.interp(place, grid, (f0 > 0).astype(float)) > 0.5
    return np.where(voiced, np.interp(place, grid, f0), UNVOICED_HZ)


def lead_f0(first: float, phase: float, frame_rate: float, rate: int) -> float:
    """F0 of a frame before a window, so that its pulses are those of an endless signal.

    Args:
        first: F0 of the window's first frame in Hz, 0 where unvoiced.
        phase: the integral of F0 at that frame, in periods.
        frame_rate: frames a second.
        rate: samples a second.
    """
    times = np.arange(int(rate / frame_rate) + 1) / rate
    fall = 1.0 - times * frame_rate
    voiced = fall > 0.5 if first == 0 else np.ones(len(fall), bool)
    slope = fall[voiced].sum() / rate  # periods for each Hz of the lead frame
    rest = ((1.0 - fall) * first)[voiced].sum() / rate + UNVOICED_HZ * (~voiced).sum() / rate
    whole = np.ceil(_LEAD_HZ * slope + rest - phase)
    return float((phase + whole - rest) / slope)
