"""Signal types: what kind of values pass a port, how many a second, how wide.

Shapes, with S streams, C channels, N samples, T frames, D dimensions::

    Audio     [S, C, N]   float32, nominal range -1..1
    Features  [S, T, D]   float32
    Pitch     [S, T]      float32, Hz, 0 where unvoiced (-0.0 where never estimated)
    Mask      [S, T]      float32, 0..1

Axis 0 is always the independent streams of a session. Rates are exact fractions in Hz.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from voicegraph.schemas.quantities import format_rate

NEVER_ESTIMATED = -0.0
"""Pitch of a frame from before anything was heard. It is 0, unvoiced, to all who compare; those for
whom silence that was heard differs from none at all, such as RVC voices, look at the sign bit."""


@dataclass(frozen=True, slots=True)
class SignalType:
    """Base of the four kinds. ``rate`` is in Hz; ``time_axis`` is the axis that grows with time."""

    kind: ClassVar[str]
    time_axis: ClassVar[int]
    width_name: ClassVar[str | None] = None

    rate: Fraction

    def __post_init__(self) -> None:
        # Arithmetic must stay exact for those who write Audio(44100, 2), too.
        object.__setattr__(self, "rate", Fraction(self.rate))

    @property
    def width(self) -> int | None:
        """Channels or dimensions; None for kinds that have one value a frame."""
        return getattr(self, self.width_name) if self.width_name else None

    def shape(self, streams: int, count: int) -> tuple[int, ...]:
        """The tensor shape of ``count`` samples or frames."""
        return (streams, count)

    def __str__(self) -> str:
        width = f" x{self.width}" if self.width is not None else ""
        return f"{self.kind} {format_rate(self.rate)}{width}"


@dataclass(frozen=True, slots=True)
class Audio(SignalType):
    """Sound: ``[streams, channels, samples]``."""

    kind: ClassVar[str] = "audio"
    time_axis: ClassVar[int] = 2
    width_name: ClassVar[str | None] = "channels"

    channels: int

    def shape(self, streams: int, count: int) -> tuple[int, ...]:
        """``[streams, channels, samples]``."""
        return (streams, self.channels, count)


@dataclass(frozen=True, slots=True)
class Features(SignalType):
    """Vectors over time, such as content features: ``[streams, frames, dim]``."""

    kind: ClassVar[str] = "features"
    time_axis: ClassVar[int] = 1
    width_name: ClassVar[str | None] = "dim"

    dim: int

    def shape(self, streams: int, count: int) -> tuple[int, ...]:
        """``[streams, frames, dim]``."""
        return (streams, count, self.dim)


@dataclass(frozen=True, slots=True)
class Pitch(SignalType):
    """Fundamental frequency in Hz, 0 where unvoiced: ``[streams, frames]``."""

    kind: ClassVar[str] = "pitch"
    time_axis: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Mask(SignalType):
    """A weight from 0 to 1 over time, such as voicing: ``[streams, frames]``."""

    kind: ClassVar[str] = "mask"
    time_axis: ClassVar[int] = 1
