"""Last phase: node drafts in running order to a plan."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

from ..plan import CompiledPlan, Latency, Link, PlannedNode, Settings
from .node_ir import Draft, Sheet

P = TypeVar("P", bound=CompiledPlan)


def assemble(sheet: Sheet, ordered: list[Draft], plan_type: type[P]) -> P:
    """The last step of the compiler: drafts to a plan."""
    devices = {draft.name: draft.spec.device for draft in ordered} | {"input": "cpu"}
    output_type = sheet.type_of(sheet.output)
    assert output_type is not None
    file = sheet.file
    return plan_type(
        name=sheet.loaded.name,
        path=sheet.loaded.path,
        block=sheet.block,
        source=sheet.source,
        nodes=tuple(_plan_node(draft, devices) for draft in ordered),
        output=sheet.output,
        output_type=output_type,
        latency=Latency(sheet.latency, 2 * sheet.block),
        settings=Settings(file.seed, file.threads, file.on_nan, file.on_late),
        bypassed=tuple(sheet.bypassed),
        pruned=tuple(sheet.pruned),
    )


def _plan_node(draft: Draft, devices: dict[str, str]) -> PlannedNode:
    links = {
        port: Link(ref, port in draft.feedback, devices[ref.node] != draft.spec.device)
        for port, ref in draft.sources.items()
    }
    ends = [spec.interval.end for spec in draft.node.asked.values()]
    return PlannedNode(
        name=draft.name,
        node=draft.node,
        params=draft.params,
        device=draft.spec.device,
        dtype=draft.spec.dtype,
        fallback=draft.spec.fallback,
        inputs=links,
        latency=-max(ends, default=Fraction(0)),
        dropped=draft.dropped,
        unused=draft.unused,
    )
