"""Second-order filters whose magnitude follows their analog prototypes up to the Nyquist frequency.

The bilinear transform, and with it the usual equaliser formulas, compresses the response towards
the Nyquist frequency: a bell at 6 kHz becomes narrow and one-sided at a rate of 16 kHz. Here the
poles are those of the prototype (impulse invariance), and the zeros are chosen so that the
magnitude equals that of the prototype at one to three frequencies. All filters are minimum-phase
and stable. Cuts are the inverses of boosts.

Source: M. Vicanek, "Matched second order digital filters", 2016 (poles, numerators, low-pass,
high-pass and bell); shelves by the same method, with the prototypes of R. Bristow-Johnson,
"Cookbook formulae for audio EQ biquad filter coefficients".

Frequencies are in radians a sample, above 0 and below pi; gains in dB. All arguments broadcast. The
results are sections ``b0 b1 b2 1 a1 a2`` on a last axis, as scipy takes them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_Powers = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Coefficients of a squared magnitude over the three functions of :func:`_basis`."""


def lowpass(frequency: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Second-order low-pass; at ``frequency`` its magnitude is ``q``."""

    def power(ratio: np.ndarray) -> np.ndarray:
        return 1 / ((1 - ratio**2) ** 2 + (ratio / q) ** 2)

    return _matched(frequency, frequency, q, power)


def highpass(frequency: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Second-order high-pass; at ``frequency`` its magnitude is ``q``."""
    feedback = _poles(frequency, q)
    basis = _basis(frequency)
    b0 = q * np.sqrt(_at(_powers(*feedback), basis)) / (4 * basis[1])
    return _section(b0, -2 * b0, b0, *feedback)


def bell(frequency: np.ndarray, gain: np.ndarray, q: np.ndarray) -> np.ndarray:
    """A boost or cut around ``frequency``; ``q`` is frequency over bandwidth at half the gain."""
    amount = 10 ** (np.abs(gain) / 40)

    def power(ratio: np.ndarray) -> np.ndarray:
        apart, width = (1 - ratio**2) ** 2, (ratio / q) ** 2
        return (apart + width * amount**2) / (apart + width / amount**2)

    boost = _matched(frequency, frequency, q * amount, power)
    return _neutral_at_0(_inverted(boost, gain < 0), gain)


def low_shelf(frequency: np.ndarray, gain: np.ndarray, q: np.ndarray) -> np.ndarray:
    """``gain`` below ``frequency``, half of it there, and nothing above."""
    amount = 10 ** (np.abs(gain) / 40)
    boost = _matched(
        frequency,
        frequency / np.sqrt(amount),
        q,
        lambda ratio: _low_shelf_power(ratio, amount, q),
    )
    return _neutral_at_0(_inverted(boost, gain < 0), gain)


def high_shelf(frequency: np.ndarray, gain: np.ndarray, q: np.ndarray) -> np.ndarray:
    """``gain`` above ``frequency``, half of it there, and nothing below."""
    amount = 10 ** (np.abs(gain) / 40)
    # A cut has its poles below the frequency, where impulse invariance is accurate.
    cut = _matched(
        frequency,
        frequency / np.sqrt(amount),
        q,
        lambda ratio: _low_shelf_power(ratio, amount, q) / amount**4,
    )
    return _neutral_at_0(_inverted(cut, gain > 0), gain)


def _low_shelf_power(ratio: np.ndarray, amount: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Squared magnitude of the prototype; ``amount`` is the square root of its gain."""
    square = ratio * ratio
    damping = amount / (q * q) * square
    above = amount**2 * ((amount - square) ** 2 + damping)
    return above / ((1 - amount * square) ** 2 + damping)


def _matched(
    frequency: np.ndarray,
    pole_frequency: np.ndarray,
    pole_q: np.ndarray,
    power: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """The section whose squared magnitude is right at 0, ``frequency`` and the Nyquist frequency.

    ``power`` is the squared magnitude of the prototype at multiples of ``frequency``. The source
    does without the Nyquist frequency: for bells it takes the slope at ``frequency``, for
    low-passes a numerator of first order. Up to a third of the rate their errors are then two and
    three times as large. A high-pass needs both its zeros at 0, so that it has no other choice.
    """
    feedback = _poles(pole_frequency, pole_q)
    a, basis = _powers(*feedback), _basis(frequency)
    b0 = a[0] * power(np.zeros_like(frequency))
    b1 = a[1] * power(np.pi / frequency)
    here = _at(a, basis) * power(np.ones_like(frequency))
    b2 = (here - b0 * basis[0] - b1 * basis[1]) / basis[2]
    return _section(*_minimum_phase(b0, b1, b2), *feedback)


def _poles(frequency: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The denominator ``1 a1 a2`` with the poles of ``s^2 + s/q + 1`` at the frequency."""
    damping = 1 / (2 * q)
    turn = np.sqrt(np.abs(1 - damping**2)) * frequency
    # Above critical damping the cosine is a hyperbolic one; as exponentials it cannot overflow.
    complex_pair = np.exp(-damping * frequency) * np.cos(turn)
    real_pair = 0.5 * (np.exp(turn - damping * frequency) + np.exp(-turn - damping * frequency))
    a1 = -2 * np.where(damping <= 1, complex_pair, real_pair)
    return a1, np.exp(-2 * damping * frequency)


def _powers(a1: np.ndarray, a2: np.ndarray) -> _Powers:
    """The squared magnitude of ``1 a1 a2``."""
    return (1 + a1 + a2) ** 2, (1 - a1 + a2) ** 2, -4 * a2


def _basis(frequency: np.ndarray) -> _Powers:
    """The functions of frequency that any squared magnitude of second order is a sum of."""
    sine = np.sin(frequency / 2) ** 2
    return 1 - sine, sine, 4 * (1 - sine) * sine


def _at(powers: _Powers, basis: _Powers) -> np.ndarray:
    return powers[0] * basis[0] + powers[1] * basis[1] + powers[2] * basis[2]


def _minimum_phase(b0: np.ndarray, b1: np.ndarray, b2: np.ndarray) -> _Powers:
    """The polynomial with this squared magnitude, and its zeros inside the unit circle."""
    at_dc, at_nyquist = np.sqrt(np.maximum(b0, 0)), np.sqrt(np.maximum(b1, 0))
    half = 0.5 * (at_dc + at_nyquist)
    first = 0.5 * (half + np.sqrt(np.maximum(half**2 + b2, 0)))
    return first, 0.5 * (at_dc - at_nyquist), -b2 / (4 * first)


def _section(*parts: np.ndarray) -> np.ndarray:
    b0, b1, b2, a1, a2 = parts
    return np.stack(np.broadcast_arrays(b0, b1, b2, np.ones_like(a1), a1, a2), -1)


def _inverted(sections: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Numerator and denominator exchanged ``where`` told."""
    swapped = sections[..., [3, 4, 5, 0, 1, 2]] / sections[..., :1]
    return np.where(where[..., None], swapped, sections)


def _neutral_at_0(sections: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Exactly nothing at 0 dB: numerator equal to the denominator, bit for bit."""
    same = sections[..., [3, 4, 5, 3, 4, 5]]
    return np.where((gain == 0)[..., None], same, sections)
