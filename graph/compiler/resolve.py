"""Phase: node names to classes, params to models, references to ports."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from voicegraph.schemas.pipeline import NodeSpec

from .. import registry
from ..errors import VoicegraphError
from ..node import Node
from ..ports import PortRef
from ..validation import add_validation_problems
from .draft import INPUT, Draft, Sheet, nearest_fix


def resolve(sheet: Sheet) -> None:
    """Fills ``sheet.drafts`` with nodes, params, declared ports and sources."""
    for name, spec in sheet.file.nodes.items():
        draft = _draft(sheet, name, spec)
        if draft is not None:
            sheet.drafts[name] = draft
    for name, spec in sheet.file.nodes.items():
        if name in sheet.drafts:
            _connect(sheet, sheet.drafts[name])
        else:  # whatever else is wrong with it, what it reads can be looked at
            for text, path in _wanted(name, spec, "").values():
                _reference(sheet, text, path)
    output = _reference(sheet, sheet.file.output, ("output",))
    sheet.output = output or INPUT


def _draft(sheet: Sheet, name: str, spec: NodeSpec) -> Draft | None:
    cls = _find(sheet, name, spec.use)
    if cls is None:
        return None
    raw, dropped = _raw_params(sheet, name, spec, cls)
    node = cls()
    node.name, node.seed, node.block = name, sheet.file.seed, sheet.block
    try:
        params = cls.Params.model_validate(raw)
    except ValidationError as error:
        if not spec.enabled and cls.declared.inputs and _left_open(error):
            return Draft(name, node, cls.Params.model_construct(), spec)
        prefix = ("nodes", name, "params")
        add_validation_problems(
            sheet.problems, error, sheet.loaded.marks, prefix, cls.Params, f"{name} ({spec.use})"
        )
        return None
    try:
        node.declared = node.ports(params)
    except VoicegraphError as error:
        for problem in error.problems:
            sheet.problems.add(
                problem.code,
                f"{name}: {problem.message}",
                problem.mark or sheet.mark("nodes", name, "params"),
                notes=problem.notes,
                fix=problem.fix,
            )
        return None
    return Draft(name, node, params, spec, dropped=dropped)


def _left_open(error: ValidationError) -> bool:
    """Whether params are only null or not given: those of a node that is off may be."""
    return all(e["type"] == "missing" or e["input"] is None for e in error.errors())


def _find(sheet: Sheet, name: str, use: str) -> type[Node] | None:
    try:
        return registry.find(use)
    except KeyError:
        mark = sheet.mark("nodes", name, "use")
        close = registry.nearest(use)
        sheet.problems.add(
            "unknown-node",
            f"{name} uses {use}, and no node has that name",
            mark,
            notes=[("see what there is: voicegraph nodes", None)],
            fix=f"nodes.{name}.use: {close[0]}" if close else None,
        )
    except Exception as error:  # an add-on that fails to import is its author's, not a traceback
        text = f"{use} cannot be loaded: {type(error).__name__}: {error}"
        sheet.problems.add("node-fails", text, sheet.mark("nodes", name, "use"))
    return None


def _raw_params(
    sheet: Sheet, name: str, spec: NodeSpec, cls: type[Node]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Params as written, with file names made absolute and the node's asset filled in."""
    raw = dict(spec.params)
    fields = cls.Params.model_fields
    dropped: tuple[str, ...] = ()
    if name in sheet.loaded.swapped:
        # The file's params were written for the node that was swapped out.
        path = ("nodes", name, "params")
        dropped = tuple(
            k for k in raw if k not in fields and not sheet.loaded.marks.is_override((*path, k))
        )
        raw = {k: v for k, v in raw.items() if k not in dropped}
    for key in cls.Params.file_fields() & raw.keys():
        if isinstance(raw[key], str):
            raw[key] = sheet.loaded.marks.resolve(("nodes", name, "params", key), raw[key])
    asset = sheet.file.assets.get(cls.use.rsplit(".", 1)[-1])
    if asset is not None and "weights" in fields and raw.get("weights") is None:
        raw["weights"] = asset
    return raw, dropped


def _connect(sheet: Sheet, draft: Draft) -> None:
    inputs = draft.node.declared.inputs
    wanted = _wanted(draft.name, draft.spec, next(iter(inputs), ""))
    if not inputs and isinstance(draft.spec.inputs, str):
        text = f"{draft.name} ({draft.node.use}) has no inputs, but `in` names {draft.spec.inputs}"
        sheet.problems.add("extra-input", text, sheet.mark(*draft.path, "in"), fix="remove `in`")
        return
    for port, (text, path) in wanted.items():
        if port not in inputs:
            _unknown_input(sheet, draft, port, path)
        elif (ref := _reference(sheet, text, path)) is not None:
            draft.sources[port] = ref
    for port, declared in inputs.items():
        if port not in wanted and not declared.optional:
            _missing_input(sheet, draft, port)


def _wanted(name: str, spec: NodeSpec, first: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What each input port reads, and where that is written; a bare text means the first port."""
    path = ("nodes", name, "in")
    if isinstance(spec.inputs, str):
        return {first: (spec.inputs, path)}
    return {port: (text, (*path, port)) for port, text in (spec.inputs or {}).items()}


def _unknown_input(sheet: Sheet, draft: Draft, port: str, path: tuple[str, ...]) -> None:
    inputs = draft.node.declared.inputs
    sheet.problems.add(
        "unknown-port",
        f"{draft.name} ({draft.node.use}) has no input `{port}`; it has: {', '.join(inputs) or 'none'}",
        sheet.loaded.marks.key(path),
        fix=nearest_fix(port, dict(inputs)),
    )


def _missing_input(sheet: Sheet, draft: Draft, port: str) -> None:
    declared = draft.node.declared.inputs[port]
    candidates = [
        f"{other.name}.{out}" if i else other.name
        for other in sheet.drafts.values()
        if other is not draft
        for i, (out, kind) in enumerate(other.node.declared.outputs.items())
        if kind.kind is declared.kind
    ]
    if declared.kind.kind == "audio":
        candidates.insert(0, "input")
    count = len(draft.node.declared.inputs)
    fix = f"nodes.{draft.name}.in: " if count == 1 else f"nodes.{draft.name}.in.{port}: "
    sheet.problems.add(
        "missing-input",
        f"{draft.name} ({draft.node.use}) needs its input `{port}` ({declared.kind.kind})",
        sheet.mark(*draft.path),
        fix=fix + (" or ".join(candidates[:3]) if candidates else "NODE"),
    )


def _reference(sheet: Sheet, text: str, path: tuple[str, ...]) -> PortRef | None:
    """``node`` or ``node.port`` to a port; a bare node means its first output."""
    node, _, port = text.partition(".")
    mark = sheet.mark(*path)
    if node == INPUT.node:
        if port in ("", INPUT.port):
            return INPUT
        sheet.problems.add("unknown-port", f"input has one port, `audio`, not `{port}`", mark)
        return None
    if node in sheet.loaded.broken:
        return None  # its own mistake is told where it stands
    if node not in sheet.file.nodes:
        names = ["input", *sheet.file.nodes]
        sheet.problems.add(
            "no-such-node",
            f"`{text}` names no node of this pipeline; there are: {', '.join(names)}",
            mark,
            fix=nearest_fix(node, names),
        )
        return None
    if (draft := sheet.drafts.get(node)) is None:
        return None
    outputs = draft.node.declared.outputs
    if not port and outputs:
        return PortRef(node, next(iter(outputs)))
    if port in outputs:
        return PortRef(node, port)
    known = ", ".join(outputs) or "none"
    text = f"{node} ({draft.node.use}) has no output `{port}`; it has: {known}"
    sheet.problems.add("unknown-port", text, mark, fix=nearest_fix(port, dict(outputs), f"{node}."))
    return None
