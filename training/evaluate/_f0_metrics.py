"""How well the melody is kept: F0 of an output against that of its source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GROSS_CENTS = 100.0


@dataclass(frozen=True, slots=True)
class Melody:
    """What was compared.

    Attributes:
        cents: median of the absolute F0 error, once the constant transposition is taken off.
        gross: share of frames, voiced in both, with more than 100 cents of it.
        voicing: share of all frames that are voiced in both or in neither.
        start: how much higher, in semitones, the first second of voiced speech is transposed than
            the rest: what a register that is still being found does.
    """

    cents: float
    gross: float
    voicing: float
    start: float


def compared(made: np.ndarray, source: np.ndarray) -> Melody:
    """F0 in Hz ``[frames]`` of 10 ms, 0 where unvoiced, of both; aligned.

    What has no frame that is voiced in both has NaN for all but the voicing.
    """
    count = min(len(made), len(source))
    made, source = made[:count], source[:count]
    both = (made > 0) & (source > 0)
    voicing = float(np.mean((made > 0) == (source > 0)))
    if not both.any():
        return Melody(float("nan"), float("nan"), voicing, float("nan"))
    moved = 1200 * np.log2(made[both] / source[both])
    error = np.abs(moved - np.median(moved))
    first, rest = moved[:100], moved[100:]
    start = (np.median(first) - np.median(rest)) / 100 if len(rest) else float("nan")
    return Melody(
        cents=float(np.median(error)),
        gross=float(np.mean(error > GROSS_CENTS)),
        voicing=voicing,
        start=float(start),
    )


def median_hz(f0: np.ndarray) -> float:
    """The median of what is voiced; NaN if nothing is."""
    voiced = f0[f0 > 0]
    return float(np.median(voiced)) if len(voiced) else float("nan")
