"""Last phase: makes the plan from the compiled nodes in running order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeVar

from ..file_contents import files_written
from ..plan import CompiledPlan, FileWrite, Latency, Link, PlannedNode, Settings
from .node_ir import CompileContext, NodeIR

P = TypeVar("P", bound=CompiledPlan)


def assemble(context: CompileContext, ordered: list[NodeIR], plan_type: type[P]) -> P:
    """The plan of a compiled pipeline, of class ``plan_type``."""
    devices = {ir.name: ir.spec.device for ir in ordered} | {"input": "cpu"}
    output_type = context.type_of(context.output)
    assert output_type is not None
    file = context.file
    return plan_type(
        name=context.loaded.name,
        path=context.loaded.path,
        block=context.block,
        source=context.source,
        nodes=tuple(_plan_node(context, ir, devices) for ir in ordered),
        output=context.output,
        output_type=output_type,
        latency=Latency(context.latency, 2 * context.block),
        settings=Settings(file.seed, file.threads, file.on_nan, file.on_late),
        bypassed=tuple(context.bypassed),
        pruned=tuple(context.pruned),
        taken=context.loaded.taken,
    )


def _plan_node(context: CompileContext, ir: NodeIR, devices: dict[str, str]) -> PlannedNode:
    links = {
        port: Link(ref, port in ir.feedback, devices[ref.node] != ir.spec.device)
        for port, ref in ir.sources.items()
    }
    ends = [spec.interval.end for spec in ir.node.asked.values()]
    return PlannedNode(
        name=ir.name,
        node=ir.node,
        params=ir.params,
        device=ir.spec.device,
        dtype=ir.spec.dtype,
        fallback=ir.spec.fallback,
        inputs=links,
        latency=-max(ends, default=Fraction(0)),
        dropped=ir.dropped,
        unused=ir.unused,
        writes=tuple(_writes(context, ir)),
    )


def _writes(context: CompileContext, ir: NodeIR) -> Iterator[FileWrite]:
    """The files that a node writes, with who asked for them."""
    places = context.loaded.source_map
    free = context.loaded.confinement is None
    for param, path in files_written(ir.params).items():
        inside = [int(part) if part.isdecimal() else part for part in param.split(".")]
        at = ("nodes", ir.name, "params", *inside)
        yield FileWrite(param, path, places.value(at), free and places.is_own(at), not free)
