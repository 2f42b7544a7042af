"""Which model made a signal's values: passed on with its type, and held against who takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..errors import Mark
from ..loading.source_map import dotted
from ..loading.values import flow, typed
from ..node import Node
from ..ports import Wanted
from ..signals import Origin, SignalType
from ._type_errors import came_from, consumer, edge_mark, mismatch
from .node_ir import INPUT, Draft, Sheet


def label(
    node: Node, inputs: Mapping[str, SignalType], outputs: Mapping[str, SignalType]
) -> dict[str, SignalType]:
    """The output types with their origins: a node's own, or that of the input it is like."""
    return {name: _labelled(node, name, inputs, found) for name, found in outputs.items()}


def _labelled(
    node: Node, port: str, inputs: Mapping[str, SignalType], found: SignalType
) -> SignalType:
    declared = node.declared.outputs.get(port)
    if declared is None:
        return found
    source = inputs.get(declared.like) if declared.like else None
    passed_on = source.origin if source is not None and source.kind == found.kind else None
    return replace(found, origin=found.origin or declared.origin or passed_on)


def check_origins(sheet: Sheet) -> None:
    """Reports every input that is fed by another model than it must be."""
    for draft in sheet.drafts.values():
        known = {p: t for p, ref in draft.sources.items() if (t := sheet.type_of(ref)) is not None}
        for port, found in known.items():
            declared = draft.node.declared.inputs[port]
            wanted = declared.wanted
            if wanted is None or wanted.waived or mismatch(declared, found, known):
                continue
            if wrong := wanted.origin.differs(found.origin):
                _report(sheet, draft, port, wanted, wrong)


def _report(sheet: Sheet, draft: Draft, port: str, wanted: Wanted, wrong: tuple[str, ...]) -> None:
    ref = draft.sources[port]
    maker = sheet.drafts.get((came_from(sheet, ref, "origin") or ref).node)
    found = getattr(sheet.type_of(ref), "origin", None)
    assert found is not None
    expected = wanted.origin
    values = (", ".join(f"{k} {flow(o.known[k])}" for k in wrong) for o in (expected, found))
    text = "{} feeds {}, which goes with another {}: expected {}, found {}"
    sheet.problems.add(
        "another-origin",
        text.format(ref.node, consumer(draft, port), expected.noun, *values),
        edge_mark(sheet, draft, port),
        notes=[
            _note(sheet, maker, found, wrong, "is"),
            _note(sheet, draft, expected, wrong, "goes with"),
        ],
        fix="\n".join([*_fixes(sheet, maker, found, expected, wrong), *_waiver(draft, wanted)]),
    )


def _note(
    sheet: Sheet, draft: Draft | None, origin: Origin, wrong: tuple[str, ...], verb: str
) -> tuple[str, Mark | None]:
    """Who says so, in which file, and where that one is named."""
    text = f"{origin.told_by or 'it'} {verb} {origin}"
    if draft is None:
        return f"{INPUT.node}  {text}", sheet.mark(INPUT.node)
    param = next((origin.params[name] for name in wrong if name in origin.params), None)
    path = _decided_at(sheet, draft, param) if param else draft.path
    return f"{draft.name}  {text}", sheet.mark(*path)


def _decided_at(sheet: Sheet, draft: Draft, param: str) -> tuple[str, ...]:
    """Where in the file a param is given: an asset may fill it."""
    asset = draft.node.asset_name()
    if param == "weights" and not draft.spec.params.get(param) and asset in sheet.file.assets:
        return ("assets", asset)
    return (*draft.path, "params", param)


def _fixes(
    sheet: Sheet, maker: Draft | None, found: Origin, expected: Origin, wrong: tuple[str, ...]
) -> list[str]:
    """What to type where the values are made: another file, or another value."""
    if maker is None:
        return []
    lines: dict[str, str] = {}  # of facts that one param decides, the last is the closest
    for name in wrong:
        param, value = found.params.get(name), expected.known[name]
        if param is None:
            continue
        path = _decided_at(sheet, maker, param)
        shown, why = flow(value), ""
        if param in maker.params.file_fields():
            title = f", {expected.title}" if expected.title else ""
            shown, why = "PATH", f"   (the file of {name} {shown}{title})"
        lines[param] = typed(dotted(path), shown, sheet.mark(*path)) + why
    return list(lines.values())


def _waiver(draft: Draft, wanted: Wanted) -> list[str]:
    if not wanted.waiver:
        return []
    return [f"or, to mix them on purpose,  {dotted((*draft.path, 'params', wanted.waiver))}: true"]


def compared(wanted: Wanted, found: Origin | None) -> Literal["same", "another", "not stated"]:
    """A model held against the wanted one: ``same``, ``another`` or ``not stated``."""
    if wanted.origin.differs(found):
        return "another"
    shared = found is not None and wanted.origin.facts.keys() & found.facts.keys()
    return "same" if shared else "not stated"
