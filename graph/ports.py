"""Ports: the typed plugs of a node, and what the compiler finds out about each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .intervals import Interval
from .signals import Origin, SignalType


@dataclass(frozen=True, slots=True)
class Wanted:
    """The model that must have made what an input takes.

    Attributes:
        origin: the model; without facts it matters which, but nobody knows.
        waiver: the node's param that lets other models pass, by name.
        waived: whether it does.
    """

    origin: Origin
    waiver: str = ""
    waived: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """An input port.

    Attributes:
        kind: the signal kind it takes, such as ``Audio``.
        rate: the only rate it takes, in Hz; None takes any.
        channels: the only channel count it takes (audio); None takes any.
        dim: the only width it takes (features); None takes any.
        like: name of another input whose type this one must have.
        optional: whether it may be left unconnected; it is then absent from ``inputs``.
        window: whether a node with state can take spans that are estimated afresh at every tick
            and overlap. Such a node joins them, as ``dsp.sola`` does.
        doc: one line for people. Where ``ports`` changes it, because a file decides what fits, an
            edge that does not fit quotes it.
        fix: what to type where an edge does not fit; None leaves that to the compiler.
        wanted: the model that must have made what comes; None where that does not matter.
    """

    kind: type[SignalType]
    rate: int | Fraction | None = None
    channels: int | None = None
    dim: int | None = None
    like: str | None = None
    optional: bool = False
    window: bool = False
    doc: str = ""
    fix: str | None = None
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Out:
    """An output port.

    Attributes:
        kind: the signal kind it gives.
        like: name of the input whose rate (and width, where the kinds are the same) it inherits.
        rate: its rate in Hz, where not inherited.
        channels: its channel count, where not inherited.
        dim: its width, where not inherited.
        window: whether the whole span asked for is estimated afresh at every tick. Otherwise the
            port is a stream: every value is made once, one block at a time.
        doc: one line for people.
        origin: the model that makes the values; None passes on that of ``like``.
    """

    kind: type[SignalType]
    like: str | None = None
    rate: int | Fraction | None = None
    channels: int | None = None
    dim: int | None = None
    window: bool = False
    doc: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one node, in order; the first of each is what a bare node name means."""

    inputs: Mapping[str, In] = field(default_factory=dict)
    outputs: Mapping[str, Out] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A port after compilation: type, span and size at every tick.

    Attributes:
        type: the signal type.
        interval: the span that the values cover, relative to the newest input sample of the tick.
        core: the part of it that is really used.
        window: whether the span is estimated afresh at each tick.
    """

    type: SignalType
    interval: Interval
    core: Interval
    window: bool

    @property
    def rate(self) -> Fraction:
        """Samples or frames a second, in Hz."""
        return self.type.rate

    @property
    def count(self) -> int:
        """Samples or frames at each tick; a last, partial frame of a window counts."""
        return math.ceil(self.interval.duration * self.rate)

    def index(self, time: Fraction) -> int:
        """How many whole samples or frames lie between the start of the span and ``time``."""
        return math.floor((time - self.interval.start) * self.rate)

    def shape(self, streams: int) -> tuple[int, ...]:
        """The tensor shape at each tick."""
        return self.type.shape(streams, self.count)


@dataclass(frozen=True, slots=True, order=True)
class PortRef:
    """An output port by node and port name; the pipeline's own input is ``input.audio``."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}.{self.port}"
