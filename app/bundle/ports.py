"""Ports and spans of a bundle's plan, with exact times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from voicegraph.graph.intervals import Interval
from voicegraph.graph.ports import PortRef, PortSpec
from voicegraph.graph.signals import Audio, Features, Mask, Pitch, SignalType
from voicegraph.schemas.bundle import BundleNode, BundlePort
from voicegraph.schemas.quantities import parse_duration


def spec_of(port: BundlePort) -> PortSpec:
    """A port with exact times."""
    whole = Interval(Fraction(port.start), Fraction(port.end))
    core = Interval(Fraction(port.core_start), Fraction(port.core_end))
    return PortSpec(_type_of(port), whole, core, port.window)


def _type_of(port: BundlePort) -> SignalType:
    rate = Fraction(port.rate)
    match port.kind:
        case "audio":
            return Audio(rate, port.width)
        case "features":
            return Features(rate, port.width)
        case "pitch":
            return Pitch(rate)
        case "mask":
            return Mask(rate)


def ref_of(text: str) -> PortRef:
    """``node.port``; names of nodes that the compiler inserted have a dot themselves."""
    node, _, port = text.rpartition(".")
    return PortRef(node, port)


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node of the plan: its ports with exact times, and its params.

    Attributes:
        given: what each input gets.
        asked: what each output has to give.
        block: seconds of a block.
    """

    name: str
    use: str
    params: dict[str, Any]
    seed: int
    given: dict[str, PortSpec]
    asked: dict[str, PortSpec]
    block: Fraction

    @classmethod
    def of(cls, node: BundleNode, block: Fraction) -> NodeSpec:
        """From the plan."""
        given = {port: spec_of(found.given) for port, found in node.inputs.items()}
        asked = {port: spec_of(found) for port, found in node.outputs.items()}
        return cls(node.name, node.use, node.params, node.seed, given, asked, block)

    def seconds(self, param: str) -> Fraction:
        """A param that is a duration."""
        value = self.params[param]
        return parse_duration(value) if isinstance(value, str) else Fraction(str(value))
