"""From observations to numbers: each metric of one clip, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .metric import Heard, Metric, NotMeasured
from .task import Arrays, Result

NOT_MEASURED = "not_measured"
"""Key of :attr:`Result.about` of an observation that says nothing, with the reason."""


class Value(NamedTuple):
    """A number, or the reason why there is none.

    Attributes:
        value: finite; None if there is none.
        why: then the reason; else empty.
    """

    value: float | None
    why: str = ""


class NotObserved(NotMeasured, KeyError):  # noqa: N818 - as its base
    """An observer has not heard this sound."""

    __str__ = Exception.__str__


class Observations(Mapping[str, Arrays]):
    """What observers say about one sound, by observer; a side of :class:`Heard`.

    To ask for an observer that could say nothing raises :class:`NotMeasured` with its reason.

    Args:
        results: by observer.
        why_none: why there is no such side; without it, an observer that is not there was not
            asked for.
    """

    def __init__(self, results: Mapping[str, Result], why_none: str = "") -> None:
        self._results = results
        self._why_none = why_none

    def __getitem__(self, name: str) -> Arrays:
        if name not in self._results:
            raise NotObserved(self._why_none or f"{name} was not observed")
        found = self._results[name]
        if (why := found.about.get(NOT_MEASURED)) is not None:
            raise NotMeasured(str(why))
        return found.arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


def evaluate(metric: Metric, heard: Heard) -> Value:
    """Computes a metric of one clip.

    A metric that raises an exception, or gives a value beyond its span, has no value: one wrong
    plug-in does not end an experiment, and the reason says what is wrong with it.
    """
    try:
        value = float(metric.measure(heard))
    except NotMeasured as reason:
        return Value(None, str(reason))
    except Exception as error:
        return Value(None, f"{metric.name} failed: {type(error).__name__}: {error}")
    low, high = metric.span
    if not math.isfinite(value):
        return Value(None, f"it is {value}")
    # Sums of rounded numbers may lie an ulp outside, as a cosine of 1.0000001 does.
    slack = 1e-6 * max(1.0, abs(value))
    if not low - slack <= value <= high + slack:
        return Value(None, f"{metric.name} gave {value:g}, outside of its span {low:g}..{high:g}")
    return Value(min(max(value, low), high))
