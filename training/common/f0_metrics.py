"""F0 error and voicing agreement of converted speech against its source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GROSS_CENTS = 100.0
"""An F0 error above this is gross."""
_START_FRAMES = 100
"""Voiced frames that count as the start: one second."""


@dataclass(frozen=True, slots=True)
class F0Error:
    """How one F0 contour differs from another.

    Attributes:
        cents: median of the absolute F0 error, after the constant transposition is removed.
        gross: share of the frames voiced in both whose error exceeds 100 cents.
        voicing: share of all frames that are voiced in both or in neither.
        start: transposition of the first second of voiced speech minus that of the rest, in
            semitones. It shows how far the register is off before the estimate has settled.
    """

    cents: float
    gross: float
    voicing: float
    start: float


def compare_f0(made: np.ndarray, source: np.ndarray) -> F0Error:
    """Compares two time-aligned F0 contours.

    Args:
        made: F0 of the output, Hz ``[frames]`` every 10 ms, 0 where unvoiced.
        source: F0 of the source, the same way. The longer contour is cut.

    Returns:
        NaN for everything but ``voicing`` if no frame is voiced in both.
    """
    count = min(len(made), len(source))
    made, source = made[:count], source[:count]
    both = (made > 0) & (source > 0)
    voicing = float(np.mean((made > 0) == (source > 0)))
    if not both.any():
        return F0Error(float("nan"), float("nan"), voicing, float("nan"))
    moved = 1200 * np.log2(made[both] / source[both])
    error = np.abs(moved - np.median(moved))
    first, rest = moved[:_START_FRAMES], moved[_START_FRAMES:]
    start = (np.median(first) - np.median(rest)) / 100 if len(rest) else float("nan")
    return F0Error(
        cents=float(np.median(error)),
        gross=float(np.mean(error > GROSS_CENTS)),
        voicing=voicing,
        start=float(start),
    )


def median_hz(f0: np.ndarray) -> float:
    """Median F0 of the voiced frames; NaN if there are none."""
    voiced = f0[f0 > 0]
    return float(np.median(voiced)) if len(voiced) else float("nan")
