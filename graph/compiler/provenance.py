"""Provenance: which model made a signal's values, and whether its consumer accepts that model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..errors import Mark
from ..loading.source_map import dotted
from ..loading.values import assignment, flow_yaml
from ..node import Node
from ..ports import Wanted
from ..signals import Origin, SignalType
from ._type_errors import consumer, edge_mark, mismatch, type_source
from .node_ir import INPUT, CompileContext, NodeIR


def label_origins(
    node: Node, inputs: Mapping[str, SignalType], outputs: Mapping[str, SignalType]
) -> dict[str, SignalType]:
    """The output types with their origins: the node's own, or that of the `like` input."""
    return {name: _with_origin(node, name, inputs, found) for name, found in outputs.items()}


def _with_origin(
    node: Node, port: str, inputs: Mapping[str, SignalType], found: SignalType
) -> SignalType:
    declared = node.declared.outputs.get(port)
    if declared is None:
        return found
    source = inputs.get(declared.like) if declared.like else None
    passed_on = source.origin if source is not None and source.kind == found.kind else None
    return replace(found, origin=found.origin or declared.origin or passed_on)


def check_provenance(context: CompileContext) -> None:
    """Reports every input whose values come from another model than it needs."""
    for ir in context.nodes.values():
        known = {p: t for p, ref in ir.sources.items() if (t := context.type_of(ref)) is not None}
        for port, found in known.items():
            declared = ir.node.declared.inputs[port]
            wanted = declared.wanted
            if wanted is None or wanted.waived or mismatch(declared, found, known):
                continue
            if wrong := wanted.origin.differs(found.origin):
                _report(context, ir, port, wanted, wrong)


def _report(
    context: CompileContext, ir: NodeIR, port: str, wanted: Wanted, wrong: tuple[str, ...]
) -> None:
    ref = ir.sources[port]
    maker = context.nodes.get((type_source(context, ref, "origin") or ref).node)
    found = getattr(context.type_of(ref), "origin", None)
    assert found is not None
    expected = wanted.origin
    values = (", ".join(f"{k} {flow_yaml(o.known[k])}" for k in wrong) for o in (expected, found))
    text = "{} feeds {}, which goes with another {}: expected {}, found {}"
    context.problems.add(
        "another-origin",
        text.format(ref.node, consumer(ir, port), expected.noun, *values),
        edge_mark(context, ir, port),
        notes=[
            _note(context, maker, found, wrong, "is"),
            _note(context, ir, expected, wrong, "goes with"),
        ],
        fix="\n".join([*_fixes(context, maker, found, expected, wrong), *_waiver(ir, wanted)]),
    )


def _note(
    context: CompileContext, ir: NodeIR | None, origin: Origin, wrong: tuple[str, ...], verb: str
) -> tuple[str, Mark | None]:
    """The file that states an origin, and the place where that file is named."""
    text = f"{origin.told_by or 'it'} {verb} {origin}"
    if ir is None:
        return f"{INPUT.node}  {text}", context.mark(INPUT.node)
    param = next((origin.params[name] for name in wrong if name in origin.params), None)
    path = _decided_at(context, ir, param) if param else ir.path
    return f"{ir.name}  {text}", context.mark(*path)


def _decided_at(context: CompileContext, ir: NodeIR, param: str) -> tuple[str, ...]:
    """The path in the file where a param is given, which can be an asset."""
    asset = ir.node.asset_name()
    if param == "weights" and not ir.spec.params.get(param) and asset in context.file.assets:
        return ("assets", asset)
    return (*ir.path, "params", param)


def _fixes(
    context: CompileContext,
    maker: NodeIR | None,
    found: Origin,
    expected: Origin,
    wrong: tuple[str, ...],
) -> list[str]:
    """Fixes at the node that makes the values: another file, or another value."""
    if maker is None:
        return []
    lines: dict[str, str] = {}  # if one param decides several facts, the last is the most specific
    for name in wrong:
        param, value = found.params.get(name), expected.known[name]
        if param is None:
            continue
        path = _decided_at(context, maker, param)
        shown, why = flow_yaml(value), ""
        if param in maker.params.file_fields():
            title = f", {expected.title}" if expected.title else ""
            shown, why = "PATH", f"   (the file of {name} {shown}{title})"
        lines[param] = assignment(dotted(path), shown, context.mark(*path)) + why
    return list(lines.values())


def _waiver(ir: NodeIR, wanted: Wanted) -> list[str]:
    if not wanted.waiver:
        return []
    return [f"or, to mix them on purpose,  {dotted((*ir.path, 'params', wanted.waiver))}: true"]


def compare_origins(
    wanted: Wanted, found: Origin | None
) -> Literal["same", "another", "not stated"]:
    """Compares an origin with the wanted one: ``same``, ``another`` or ``not stated``."""
    if wanted.origin.differs(found):
        return "another"
    shared = found is not None and wanted.origin.facts.keys() & found.facts.keys()
    return "same" if shared else "not stated"
