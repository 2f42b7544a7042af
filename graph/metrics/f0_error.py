"""F0 error in cents and voicing agreement of two F0 contours.

Contours are in Hz every 10 ms, 0 where unvoiced, ``[frames]``, and time-aligned. The longer one is
cut.
"""

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


def f0_cents(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """``1200 log2(other / reference)`` in cents, of the frames that are voiced in both, ``[n]``."""
    one, two = _same_length(reference, other)
    both = (one > 0) & (two > 0)
    return 1200 * np.log2(two[both].astype(np.float64) / one[both])


def voicing_agreement(reference: np.ndarray, other: np.ndarray) -> float:
    """Share of all frames that are voiced in both or in neither, 0..1; NaN without frames."""
    one, two = _same_length(reference, other)
    return float(np.mean((one > 0) == (two > 0))) if len(one) else float("nan")


def gross_share(cents: np.ndarray) -> float:
    """Share of F0 errors in cents, ``[n]``, beyond 100 cents either way; NaN without any."""
    return float(np.mean(np.abs(cents) > GROSS_CENTS)) if len(cents) else float("nan")


def _same_length(one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = min(len(one), len(two))
    return one[:count], two[:count]


def compare_f0(made: np.ndarray, source: np.ndarray) -> F0Error:
    """Compares converted speech with its source, without a constant transposition.

    Args:
        made: F0 of the output.
        source: F0 of the source.

    Returns:
        NaN for everything but ``voicing`` if no frame is voiced in both.
    """
    voicing = voicing_agreement(source, made)
    moved = f0_cents(source, made)
    if not len(moved):
        return F0Error(float("nan"), float("nan"), voicing, float("nan"))
    error = np.abs(moved - np.median(moved))
    first, rest = moved[:_START_FRAMES], moved[_START_FRAMES:]
    start = (np.median(first) - np.median(rest)) / 100 if len(rest) else float("nan")
    return F0Error(
        cents=float(np.median(error)),
        gross=gross_share(error),
        voicing=voicing,
        start=float(start),
    )


def median_hz(f0: np.ndarray) -> float:
    """Median F0 of the voiced frames; NaN if there are none."""
    voiced = f0[f0 > 0]
    return float(np.median(voiced)) if len(voiced) else float("nan")
