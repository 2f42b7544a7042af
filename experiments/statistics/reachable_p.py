"""Whether so few speakers can reach a level in so large a family of tests."""

from __future__ import annotations

from itertools import count

from .correction import Correction
from .intervals import DRAWS
from .power import LEVEL
from .significance import Test, least_p

NEEDED = 6
"""Speakers of a test: with 5 the least p of sign flips and of signed ranks is 2/32 = .0625."""
_DRAWS_PER_TEST = 100
"""Random sign flips for each test of a family, so that the correction leaves p below .05."""


def draws_of(tests: int) -> int:
    """How many random sign flips or resamples the tests of a family take."""
    return max(DRAWS, _DRAWS_PER_TEST * tests)


def least_corrected_p(
    speakers: int, test: Test, tests: int, correct: Correction, draws: int | None = None
) -> float:
    """The p that the clearest difference of a family has after the correction, at the least.

    Args:
        speakers: of each test.
        test: how p is computed.
        tests: of the family.
        correct: how p is corrected.
        draws: random sign flips or resamples; by default as many as such a family takes.
    """
    least = least_p(speakers, test, draws or draws_of(tests))
    # Benjamini and Hochberg's least corrected p is reached where all tests are as clear.
    return min(1.0, least * tests) if correct == "holm" else least


def why_unreachable(
    speakers: int, test: Test, tests: int, correct: Correction, draws: int | None = None
) -> str:
    """Says so if not even the clearest difference can come out as significant; else empty.

    Args:
        speakers: of each test.
        test: how p is computed.
        tests: of the family.
        correct: how p is corrected.
        draws: as for :func:`least_corrected_p`.
    """
    least = least_corrected_p(speakers, test, tests, correct, draws)
    if least <= LEVEL:
        return ""
    return (
        f"{speakers} speakers cannot reach p = {LEVEL} in a family of {tests} tests: "
        f"the least is {least:.2g}"
    )


def speakers_needed(test: Test, tests: int, correct: Correction) -> int:
    """The least number of speakers with which the clearest difference can be significant."""
    return next(n for n in count(NEEDED) if least_corrected_p(n, test, tests, correct) <= LEVEL)


def tests_possible(speakers: int, test: Test) -> int:
    """The most tests of a Holm-corrected family in which so many speakers can show a difference."""
    return max(1, int(LEVEL / least_p(speakers, test)))
