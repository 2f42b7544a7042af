"""Signal types: the kind, rate and width of the values at a port.

Shapes, with S streams, C channels, N samples, T frames, D dimensions::

    Audio     [S, C, N]   float32, nominal range -1..1
    Features  [S, T, D]   float32
    Pitch     [S, T]      float32, Hz, 0 where unvoiced (-0.0 where never estimated)
    Mask      [S, T]      float32, 0..1

Axis 0 is always the independent streams of a session. Rates are exact fractions in Hz.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from voicegraph.schemas.quantities import format_rate

NEVER_ESTIMATED = -0.0
"""Pitch of a frame before the first input. It compares equal to 0, unvoiced; nodes that treat it
differently from estimated silence, such as RVC voices, test the sign bit."""


Fact = str | int | bool


@dataclass(frozen=True, slots=True)
class Origin:
    """The provenance of a signal: which model made its values, as far as this is known.

    Feature vectors of two models can have the same rate and width and still be incompatible. A node
    that makes such values names the model (``Out.origin``), nodes that pass them on keep the label,
    and a node that needs the values of one model names it (``In.wanted``).

    Attributes:
        noun: the kind of model, such as ``content encoder``.
        told_by: the file that states the origin, or that is the model.
        facts: properties that distinguish the model from others, by name; empty if unknown.
        params: the node's param that decides each fact, by the fact's name.
        title: the model's name for users; two files of one model may have different names.
        implied: facts that follow from the type of the file, whichever model it was made with.
            Different values are a mismatch, but equal values do not prove the same model.
    """

    noun: str
    told_by: str = field(default="", compare=False)
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)
    params: Mapping[str, str] = field(default_factory=dict, compare=False)
    title: str = field(default="", compare=False)
    implied: Mapping[str, Fact] = field(default_factory=dict, hash=False)

    @property
    def known(self) -> dict[str, Fact]:
        """All facts, implied and stated."""
        return {**self.implied, **self.facts}

    def differs(self, other: Origin | None) -> tuple[str, ...]:
        """Names of the facts that both state with different values."""
        if other is None:
            return ()
        ours, theirs = self.known, other.known
        return tuple(k for k, v in ours.items() if k in theirs and v != theirs[k])

    def __str__(self) -> str:
        """The facts, such as ``contentvec (family hubert-base, layer 12)``."""
        known = ", ".join(_fact(name, value) for name, value in self.known.items())
        if not known:
            return self.title or f"{self.noun} not stated"
        return f"{self.title} ({known})" if self.title else known


def _fact(name: str, value: Fact) -> str:
    if isinstance(value, bool):
        return name if value else f"not {name}"
    return f"{name} {value}"


@dataclass(frozen=True, slots=True)
class SignalType:
    """Base of the four kinds.

    Attributes:
        rate: samples or frames per second, in Hz.
        origin: which model made the values; it does not count when types are compared.
        kind: name of the kind.
        time_axis: the axis of a tensor along which time runs.
        width_name: the field that holds the width; None for kinds without one.
    """

    kind: ClassVar[str]
    time_axis: ClassVar[int]
    width_name: ClassVar[str | None] = None

    rate: Fraction
    origin: Origin | None = field(default=None, kw_only=True, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Audio(44100, 2) with an int must give exact arithmetic, too.
        object.__setattr__(self, "rate", Fraction(self.rate))

    @property
    def width(self) -> int | None:
        """Channels or dimensions; None for kinds with one value per frame."""
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
