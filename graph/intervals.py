"""Spans of time, relative to the newest input sample of a tick, in exact seconds.

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
        """The same span, ``by`` seconds later (negative: earlier)."""
        return Interval(self.start + by, self.end + by)

    def widen(self, before: Fraction = Fraction(0), after: Fraction = Fraction(0)) -> Interval:
        """Adds look-back and look-ahead."""
        return Interval(self.start - before, self.end + after)

    def on_grid(self, rate: Fraction) -> Interval:
        """The smallest span around this one whose ends are whole samples at ``rate``."""
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
    """The smallest interval around all of them. Raises ValueError if there are none."""
    spans = list(intervals)
    return Interval(min(s.start for s in spans), max(s.end for s in spans))


@dataclass(frozen=True, slots=True)
class Request:
    """What a consumer asks of a port.

    Attributes:
        interval: what must be covered as context.
        core: the part that the consumer will really use; lies inside ``interval``. A producer may
            leave the rest rough, and a window producer may leave it out.
    """

    interval: Interval
    core: Interval

    @classmethod
    def of(cls, start: Fraction, end: Fraction) -> Request:
        """A request that uses all it asks for."""
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
        """Interval and core, ``by`` seconds later (negative: earlier)."""
        return Request(self.interval.shift(by), self.core.shift(by))

    def widen(self, before: Fraction = Fraction(0), after: Fraction = Fraction(0)) -> Request:
        """Adds look-back and look-ahead as context; the core stays."""
        return Request(self.interval.widen(before, after), self.core)


def merge(requests: Iterable[Request]) -> Request:
    """The request that serves all of them."""
    asked = list(requests)
    return Request(hull(r.interval for r in asked), hull(r.core for r in asked))
