"""How far numbers may stand from the expected ones, and what each distance stands for.

A tolerance says why it is what it is: the rounding of the arithmetic that is used, what an ear or
a file can tell apart, or how far the reference itself spreads. It is never what one processor gave.
``tools/check.py numerics`` collects how much of each tolerance is used.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from voicegraph.graph.metrics.sample_difference import snr_db

ROUNDOFF: Mapping[torch.dtype, float] = {
    torch.float64: 2.0**-53,
    torch.float32: 2.0**-24,
    torch.float16: 2.0**-11,
    torch.bfloat16: 2.0**-8,
}
"""The largest relative error of one rounding: half the distance to the next number."""


@dataclass(frozen=True)
class Tolerance:
    """The largest difference allowed, as a sum of shares; ``stands_for`` says what it is.

    Args:
        stands_for: what a failing test says.
        absolute: in the unit of what is compared.
        relative: of each expected value.
        of_peak: of the largest expected value.
    """

    stands_for: str
    absolute: float = 0.0
    relative: float = 0.0
    of_peak: float = 0.0

    def allowed(self, expected: np.ndarray) -> np.ndarray:
        """The largest difference for each value."""
        size = np.abs(expected)
        return self.absolute + self.relative * size + self.of_peak * size.max(initial=0.0)


def rounding(terms: int, dtype: torch.dtype = torch.float32) -> Tolerance:
    """Sums of ``terms`` products, taken in another order or by another instruction.

    Roundings are independent of one another, so that their errors grow with the square root of
    their number. Four times that leaves room for the largest of some 100,000 values, twice. Terms
    of layers that follow one another add up.
    """
    share = 4 * ROUNDOFF[dtype] * math.sqrt(terms)
    return Tolerance(f"{dtype} sums of {terms} terms in another order", of_peak=share)


def below_full_scale(db: float) -> Tolerance:
    """A difference of sound, in dB of full scale."""
    return Tolerance(f"sound that differs by {-db:g} dB of full scale", absolute=10 ** (-db / 20))


def decibels(difference: float, why: str) -> Tolerance:
    """Levels in dB that differ for a known reason, which has nothing to do with rounding."""
    return Tolerance(f"{difference:g} dB ({why})", absolute=difference)


def share(part: float, why: str) -> Tolerance:
    """A part of the expected value, for a known reason, which has nothing to do with rounding."""
    return Tolerance(f"{100 * part:g} % ({why})", relative=part)


EXPORTED = Tolerance("what an exported float32 network may differ from its node", absolute=1e-4)
"""The promise of ``voicegraph export``."""
SAMPLES = below_full_scale(120)
"""A few float32 operations on samples of at most 1: eight units in the last place of 1."""
INAUDIBLE = below_full_scale(96)
"""A step of a 16-bit file."""
STEP_24_BIT = Tolerance("a step of a 24-bit file", absolute=2.0**-23)
FLOAT32 = Tolerance("a few float32 operations", relative=8 * 2.0**-23)
"""On numbers of any size."""


FFT = rounding(32)
"""A float32 FFT and its inverse: log2 of their sizes additions in a row."""
SMALL_NETWORK = rounding(1000)
"""The small networks of the tests: some 1,000 products in a row from input to output."""
FULL_NETWORK = rounding(100_000)
"""Networks of real size: a dozen layers of thousands of products each."""
TENTH_OF_A_CENT = Tolerance("a tenth of a cent", relative=2 ** (0.1 / 1200) - 1)
"""Of F0: an ear tells about five cents apart."""
CENT = Tolerance("a cent", relative=2 ** (1 / 1200) - 1)


def assert_close(found: Any, expected: Any, tolerance: Tolerance) -> None:
    """Fails where a value differs by more than it may, and says what the tolerance stands for.

    One number may be expected everywhere.
    """
    found, expected = _numbers(found), _numbers(expected)
    if expected.ndim == 0:
        expected = np.broadcast_to(expected, found.shape)
    assert found.shape == expected.shape, f"shape {found.shape}, expected {expected.shape}"
    allowed = np.broadcast_to(tolerance.allowed(expected), expected.shape)
    difference = np.abs(found - expected)
    difference = np.where(np.isnan(found) & np.isnan(expected), 0.0, difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(difference == 0, 0.0, difference / allowed)
    _record(float(np.max(used, initial=0.0)), tolerance.stands_for)
    beyond = ~(used <= 1)
    if beyond.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(used), np.inf, used)), used.shape)
        place = tuple(int(i) for i in worst)
        raise AssertionError(
            f"{beyond.sum()} of {used.size} values differ by more than {tolerance.stands_for}: "
            f"at {place} {found[worst]:.9g}, expected {expected[worst]:.9g}, "
            f"differs by {difference[worst]:.3g}, allowed {allowed[worst]:.3g}"
        )


def assert_snr(found: Any, expected: Any, at_least_db: float, stands_for: str) -> None:
    """Fails if the difference is louder than ``at_least_db`` below what is expected."""
    shape = _numbers(found).shape
    assert shape == _numbers(expected).shape, f"shape {shape}, expected {_numbers(expected).shape}"
    measured = snr_db(_numbers(expected), _numbers(found))
    _record(10 ** ((at_least_db - measured) / 20), stands_for)
    assert measured >= at_least_db, (
        f"{measured:.1f} dB above the difference, at least {at_least_db:.1f}: {stands_for}"
    )


def assert_rounded(
    found: Any, expected: Any, dtype: torch.dtype, roundings: int, slope: float = 1.0
) -> None:
    """Half precision against float32: values are rounded ``roundings`` times in a row.

    ``slope`` is the share of an error that the last step passes on (a sigmoid: 1/4 at most). As in
    ``rounding``, errors add up in power, and four times that is allowed (12 dB): processors differ
    in what they round on the way, such as sums inside an attention or a convolution.
    """
    at_least = -20 * math.log10(4 * slope * ROUNDOFF[dtype] * math.sqrt(roundings))
    assert_snr(found, expected, at_least, f"{roundings} roundings to {dtype} in a row")


def _numbers(given: Any) -> np.ndarray:
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu()
        given = (given.double() if given.is_floating_point() else given).numpy()
    made = np.asarray(given)
    return made if np.iscomplexobj(made) else made.astype(np.float64)


def _record(used: float, stands_for: str) -> None:
    """A line for ``tools/numerics.py``, if it asks."""
    if place := os.environ.get("NUMERICS_RECORD"):
        entry = {"test": os.environ.get("PYTEST_CURRENT_TEST", ""), "used": used}
        with open(place, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps(entry | {"stands_for": stands_for}) + "\n")
