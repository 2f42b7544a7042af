"""Intervals of time, relative to the newest input sample of a tick, in exact seconds.

A value on a port covers ``[start, end)``; ``end <= 0`` once a plan is compiled, and ``-end`` is the
latency up to that port. See ``docs/design.md``, "Intervals".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration


@dataclass(frozen=True, slots=True)
class Interval:
    """``[start, end)`` in seconds."""

    start: Fraction
    end: Fraction

    @property
    def duration(self) -> Fraction:
        """Seconds covered."""
        return self.end - self.start

    def shift(self, by: Fraction) -> Interval:
        """The interval moved by ``by`` seconds (negative: earlier)."""
        return Interval(self.start + by, self.end + by)

    def widen(self, before: Fraction = Fraction(0), after: Fraction = Fraction(0)) -> Interval:
        """Extends the interval by look-back and look-ahead, in seconds."""
        return Interval(self.start - before, self.end + after)

    def on_grid(self, rate: Fraction) -> Interval:
        """The smallest interval around this one whose ends are whole samples at ``rate`` in Hz."""
        return Interval(
            Fraction(math.floor(self.start * rate)) / rate,
            Fraction(math.ceil(self.end * rate)) / rate,
        )

    def covers(self, other: Interval) -> bool:
        """Whether ``other`` lies inside."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"[{format_duration(self.start)}, {format_duration(self.end)})"


def hull(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval around all of them.

    Raises:
        ValueError: if there are none.
    """
    spans = list(intervals)
    return Interval(min(s.start for s in spans), max(s.end for s in spans))


@dataclass(frozen=True, slots=True)
class Request:
    """The interval that a consumer asks of a port.

    Attributes:
        interval: the whole interval, including context.
        core: the part that the consumer uses, inside ``interval``. A producer may be less exact
            outside it, and a window producer may leave out what is outside it.
    """

    interval: Interval
    core: Interval

    @classmethod
    def of(cls, start: Fraction, end: Fraction) -> Request:
        """A request whose core is the whole interval from ``start`` to ``end``, in seconds."""
        return cls(Interval(start, end), Interval(start, end))

    @property
    def start(self) -> Fraction:
        """Start of the interval."""
        return self.interval.start

    @property
    def end(self) -> Fraction:
        """End of the interval."""
        return self.interval.end

    def shift(self, by: Fraction) -> Request:
        """Interval and core moved by ``by`` seconds (negative: earlier)."""
        return Request(self.interval.shift(by), self.core.shift(by))

    def widen(self, before: Fraction = Fraction(0), after: Fraction = Fraction(0)) -> Request:
        """Extends the interval by look-back and look-ahead, in seconds; the core stays the same."""
        return Request(self.interval.widen(before, after), self.core)


def merge(requests: Iterable[Request]) -> Request:
    """The smallest request that covers all of them.

    Raises:
        ValueError: if there are none.
    """
    asked = list(requests)
    return Request(hull(r.interval for r in asked), hull(r.core for r in asked))
