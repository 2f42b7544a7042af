"""Difference of two signals, value by value: largest, RMS, relative, SNR, gain mismatch.

The first signal ``a`` is the reference, ``b`` is what is judged, and ``d = b - a``. Sums are in
float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class DifferenceSums:
    """Sums from which all measures of this file follow. Sums of several signals add up.

    Attributes:
        count: number of values.
        reference: sum of ``a ** 2``.
        other: sum of ``b ** 2``.
        difference: sum of ``d ** 2``.
        largest: largest ``abs(d)``; NaN or infinity if a value is not finite.
    """

    count: int = 0
    reference: float = 0.0
    other: float = 0.0
    difference: float = 0.0
    largest: float = 0.0

    def __add__(self, more: DifferenceSums) -> DifferenceSums:
        return DifferenceSums(
            self.count + more.count,
            self.reference + more.reference,
            self.other + more.other,
            self.difference + more.difference,
            float(np.maximum(self.largest, more.largest)),  # keeps NaN
        )

    @property
    def rms(self) -> float:
        """Root mean square of ``d``, in the unit of the values; NaN without values."""
        return math.sqrt(self.difference / self.count) if self.count else math.nan

    @property
    def relative(self) -> float:
        """RMS of ``d`` over RMS of ``a``: ``10 ** (-snr_db / 20)``; NaN if both are silent."""
        if not self.reference:
            return math.inf if self.difference else math.nan
        return math.sqrt(self.difference / self.reference)

    @property
    def snr_db(self) -> float:
        """Signal-to-noise ratio ``10 log10(sum(a ** 2) / sum(d ** 2))`` in dB.

        Infinite if the signals are equal, minus infinity if only ``a`` is silent or ``b`` has
        infinite values, NaN if both are silent.
        """
        if not self.difference:
            return math.inf if self.reference else math.nan
        if math.isinf(self.difference):
            return -math.inf
        return 10 * math.log10(self.reference / self.difference) if self.reference else -math.inf

    @property
    def gain_db(self) -> float:
        """Gain mismatch, the level of ``b`` over that of ``a``, in dB: of RMS values.

        It does not depend on phases: a signal with the same spectrum has a mismatch of 0. Infinite
        if one of them is silent, NaN if both are.
        """
        if not self.reference or not self.other:
            silent = self.reference == self.other
            return math.nan if silent else math.copysign(math.inf, self.other - self.reference)
        return 10 * math.log10(self.other / self.reference)


def difference_sums(reference: np.ndarray, other: np.ndarray) -> DifferenceSums:
    """The sums of two arrays of one shape, real or complex.

    Raises:
        ValueError: if the shapes differ: then nothing can be said.
    """
    if reference.shape != other.shape:
        text = f"shapes differ: {list(reference.shape)} and {list(other.shape)}"
        raise ValueError(text)
    a, b = (x if np.iscomplexobj(x) else x.astype(np.float64) for x in (reference, other))
    d = np.abs(b - a)
    return DifferenceSums(
        d.size,
        *(float(np.square(np.abs(values)).sum()) for values in (a, b, d)),
        largest=float(d.max(initial=0.0)),
    )


def largest_difference(reference: np.ndarray, other: np.ndarray) -> float:
    """Largest absolute difference; infinite where shapes differ, without any value, and with NaN.

    So it never passes a limit when nothing was compared.
    """
    if reference.shape != other.shape or not reference.size:
        return math.inf
    largest = difference_sums(reference, other).largest
    return math.inf if math.isnan(largest) else largest


def snr_db(reference: np.ndarray, other: np.ndarray) -> float:
    """Signal-to-noise ratio in dB: :attr:`DifferenceSums.snr_db`."""
    return difference_sums(reference, other).snr_db


def gain_db(reference: np.ndarray, other: np.ndarray) -> float:
    """Gain mismatch in dB: :attr:`DifferenceSums.gain_db`."""
    return difference_sums(reference, other).gain_db


def bit_equal(reference: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays have the same shape, type and bits: 0.0 and -0.0 differ, as NaNs may."""
    if (reference.shape, reference.dtype) != (other.shape, other.dtype):
        return False
    one, two = (np.ascontiguousarray(x).view(np.uint8) for x in (reference, other))
    return np.array_equal(one, two)


def local_rms(reference: np.ndarray, other: np.ndarray, size: int) -> np.ndarray:
    """RMS difference of successive pieces of ``size`` values in time, the last one shorter.

    Args:
        reference: ``[T, ...]``.
        other: the same shape.
        size: length of a piece.

    Returns:
        float64 ``[ceil(T / size)]``.
    """
    square = np.square(other.astype(np.float64) - reference).reshape(len(reference), -1).mean(1)
    starts = np.arange(0, len(square), size)
    counts = np.diff(np.append(starts, len(square)))
    return np.sqrt(np.add.reduceat(square, starts) / counts)
