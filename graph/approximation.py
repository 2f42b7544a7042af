"""What a node computes less exactly than it could, to save time or latency."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approximation:
    """One approximation of a node, with the params that it has.

    Attributes:
        param: the param that controls it.
        meaning: what is left out or taken from earlier ticks, as one clause for the user.
        exact: the value of the param that switches it off, in the form of a pipeline file.
    """

    param: str
    meaning: str
    exact: str | int | float | bool | None
