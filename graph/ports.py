"""Ports: the typed inputs and outputs of a node, and what the compiler infers about them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .intervals import Interval
from .signals import Origin, SignalType


@dataclass(frozen=True, slots=True)
class Wanted:
    """The model by which an input's values must have been made.

    Attributes:
        origin: the model; without facts it is unknown which model is needed.
        waiver: name of the node's param that permits other models.
        waived: whether that param permits them now.
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
        like: name of another input of the same node that must have the same type.
        optional: whether it may be left unconnected; it is then absent from ``inputs``.
        window: whether a node with state accepts a window, whose overlapping intervals are computed
            anew at every tick. Such a node joins them, as ``dsp.sola`` does.
        doc: one line of description. If ``ports`` changes it because a file decides which types
            fit, the error for a type mismatch quotes it.
        fix: what to type if a type does not fit; None lets the compiler suggest something.
        wanted: the model by which the values must have been made; None if it does not matter.
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
        like: name of the input whose rate it inherits, and whose width if the kinds are equal.
        rate: its rate in Hz, unless inherited.
        channels: its channel count, unless inherited.
        dim: its width, unless inherited.
        window: whether the whole requested interval is computed anew at every tick. Otherwise the
            port is a stream: every value is made once, one block per tick.
        doc: one line of description.
        origin: the model that makes the values; None takes that of ``like``.
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
    """The ports of one node, in order; a node name without a port means the first one."""

    inputs: Mapping[str, In] = field(default_factory=dict)
    outputs: Mapping[str, Out] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A port after compilation: its type, interval and size at every tick.

    Attributes:
        type: the signal type.
        interval: the time that the values cover, relative to the newest input sample of the tick.
        core: the part of it that is used.
        window: whether the interval is computed anew at each tick.
        count: samples or frames at each tick, including a partial last frame of a window. Worked
            out once, since nodes read it at every tick.
    """

    type: SignalType
    interval: Interval
    core: Interval
    window: bool
    count: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", math.ceil(self.interval.duration * self.type.rate))

    @property
    def rate(self) -> Fraction:
        """Samples or frames a second, in Hz."""
        return self.type.rate

    def index(self, time: Fraction) -> int:
        """Whole samples or frames between the start of the interval and ``time`` in seconds.

        Exact, which takes microseconds: call it in ``Node.prepare``, not at every tick.
        """
        return math.floor((time - self.interval.start) * self.rate)

    def part(self, span: Interval) -> slice:
        """Where the samples or frames of ``span`` lie in the tensor: for ``Node.prepare``, too."""
        start = self.index(span.start)
        return slice(start, start + math.ceil(span.duration * self.rate))

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
