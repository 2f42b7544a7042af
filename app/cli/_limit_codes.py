"""Exit codes of commands that compare by conditions of ``--within``."""

from __future__ import annotations

from collections.abc import Sequence

OUTSIDE = 9
"""Compared, and a condition does not hold."""
UNJUDGED = 3
"""A condition could not be judged, since there is nothing to judge it by."""


def limits_code(within: bool | None, limits: Sequence[object]) -> int:
    """The exit code: ``within`` says whether all ``limits`` hold; None if that is not known."""
    if within is False:
        return OUTSIDE
    return UNJUDGED if limits and within is None else 0
