"""The intermediate representation of a pipeline, which each compiler phase completes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from voicegraph.schemas.pipeline import NodeSpec, PipelineFile

from ..errors import Mark, Problems
from ..node import Node, NodeParams
from ..ports import PortRef, PortSpec
from ..signals import Audio, SignalType

if TYPE_CHECKING:
    from ..loading.load import LoadedPipeline

INPUT = PortRef("input", "audio")
"""The pipeline's own input, before the nodes that adapt a driver's audio."""


@dataclass(slots=True)
class NodeIR:
    """One node during compilation.

    Attributes:
        sources: the output port that each input reads.
        feedback: inputs that read values of earlier ticks.
        windows: whether each output is a window.
        dropped: params that were dropped because ``use`` was changed.
        unused: inputs in the file that the node does not have with these params.
    """

    name: str
    node: Node
    params: NodeParams
    spec: NodeSpec
    sources: dict[str, PortRef] = field(default_factory=dict)
    feedback: set[str] = field(default_factory=set)
    windows: dict[str, bool] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """Path of the node in the pipeline file."""
        return ("nodes", self.name)

    @property
    def all_windows(self) -> bool:
        """Whether all its outputs are windows."""
        return all(self.windows.values())


@dataclass(slots=True)
class CompileContext:
    """A pipeline during compilation: the loaded file, its nodes, and the problems found.

    Attributes:
        source: type of the input audio.
        nodes: the nodes by name.
        output: the port whose values the pipeline gives.
        bypassed: nodes that are switched off.
        pruned: nodes from which nothing reaches the output.
        latency: the algorithmic latency, in seconds.
        min_latency: the latency that was requested at least, in seconds.
    """

    loaded: LoadedPipeline
    problems: Problems
    source: Audio
    nodes: dict[str, NodeIR] = field(default_factory=dict)
    output: PortRef = INPUT
    bypassed: dict[str, NodeIR] = field(default_factory=dict)
    pruned: dict[str, NodeIR] = field(default_factory=dict)
    given: dict[tuple[str, str], PortSpec] = field(default_factory=dict)
    latency: Fraction = Fraction(0)
    min_latency: Fraction = Fraction(0)

    @property
    def file(self) -> PipelineFile:
        """The validated file."""
        return self.loaded.file

    @property
    def block(self) -> Fraction:
        """The block of the pipeline, in seconds."""
        return self.file.block

    def mark(self, *path: str) -> Mark:
        """The place of a value in the file, for errors."""
        return self.loaded.source_map.value(path)

    def type_of(self, ref: PortRef) -> SignalType | None:
        """The type of an output port; None if it is not known yet."""
        if ref == INPUT:
            return self.source
        ir = self.nodes.get(ref.node)
        return ir.node.output_types.get(ref.port) if ir else None

    def is_window(self, ref: PortRef) -> bool:
        """Whether an output port is a window."""
        return ref != INPUT and self.nodes[ref.node].windows.get(ref.port, False)

    def written(self, ref: PortRef) -> str:
        """How a file names an output port: the node alone if the port is its first."""
        ir = self.nodes.get(ref.node)
        first = next(iter(ir.node.declared.outputs), "") if ir else INPUT.port
        return ref.node if ref.port == first else str(ref)

    def new_name(self, name: str) -> str:
        """A free name for a node that a fix adds, with a number if ``name`` is taken."""
        names = (name, *(f"{name}_{number}" for number in range(2, len(self.file.nodes) + 3)))
        return next(free for free in names if free not in self.file.nodes)

    def insertion(self, ir: NodeIR, port: str, name: str, use: str, params: str = "") -> str:
        """A fix that inserts another node before an input."""
        name = self.new_name(name)
        body = f"use: {use}, in: {self.written(ir.sources[port])}"
        body += f", params: {{{params}}}" if params else ""
        target = "in" if len(ir.node.declared.inputs) == 1 else f"in.{port}"
        return f"add to nodes:  {name}: {{{body}}}\nand write  nodes.{ir.name}.{target}: {name}"

    def consumers(self) -> dict[PortRef, list[tuple[NodeIR, str]]]:
        """The readers of each output port, as (node, input port)."""
        found: dict[PortRef, list[tuple[NodeIR, str]]] = {}
        for ir in self.nodes.values():
            for port, ref in ir.sources.items():
                found.setdefault(ref, []).append((ir, port))
        return found
