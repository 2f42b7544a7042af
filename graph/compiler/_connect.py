"""Part of the resolve phase: ``in`` and ``output`` of a file become references to ports."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from voicegraph.schemas.pipeline import NodeSpec

from ..errors import Mark
from ..loading.source_map import dotted
from ..loading.values import assignment
from ..ports import PortRef
from .node_ir import INPUT, CompileContext, NodeIR

Path = tuple[str, ...]


def connect(context: CompileContext) -> None:
    """Sets ``sources`` of every node, and ``context.output``."""
    for name, spec in context.file.nodes.items():
        if name in context.nodes:
            _connect(context, context.nodes[name])
        else:  # the node has other mistakes, but its sources can be checked
            for text, path in _written_inputs(name, spec, "").values():
                _reference(context, text, path)
    _note_readers(context)
    output = _reference(context, context.file.output, ("output",))
    context.output = output or INPUT


def _note_readers(context: CompileContext) -> None:
    """Says what the readers of a node take whose file is missing: not every file will fit."""
    for i, problem in enumerate(context.problems.found):
        if problem.code == "missing-weights":
            name = problem.message.partition(":")[0]
            notes = tuple(_taken(context, name))
            context.problems.found[i] = replace(problem, notes=(*problem.notes, *notes))


def _taken(context: CompileContext, name: str) -> Iterator[tuple[str, Mark | None]]:
    """What the inputs take that read a node, also through nodes that are off, if a file decides."""
    for ir in context.nodes.values():
        for port, (text, path) in _written_inputs(ir.name, ir.spec, "").items():
            declared = ir.node.declared.inputs.get(port or next(iter(ir.node.declared.inputs), ""))
            if declared is None or text.partition(".")[0] != name:
                continue
            if not ir.spec.enabled:
                yield from _taken(context, ir.name)
            elif declared.dim is not None:
                said = declared.doc or f"{declared.dim} dimensions"
                yield f"{ir.name} ({ir.node.use}) reads it, and takes {said}", context.mark(*path)


def _connect(context: CompileContext, ir: NodeIR) -> None:
    inputs = ir.node.declared.inputs
    wanted = _written_inputs(ir.name, ir.spec, next(iter(inputs), ""))
    if not inputs and isinstance(ir.spec.inputs, str):
        text = f"{ir.name} ({ir.node.use}) has no inputs, but `in` names {ir.spec.inputs}"
        context.problems.add("extra-input", text, context.mark(*ir.path, "in"), fix="remove `in`")
        return
    # Inputs of the class that this node lacks with these params, such as the pitch of a voice
    # without pitch: the file may name them anyway.
    absent = [port for port in type(ir.node).declared.inputs if port not in inputs]
    ir.unused = tuple(port for port in absent if port in wanted)
    meant: set[str] = set()
    for port, (text, path) in wanted.items():
        if port in ir.unused:
            _reference(context, text, path)
        elif port not in inputs:
            left = [p for p in inputs if p not in wanted and p not in meant]
            near = _nearest(port, inputs) or next(iter(sorted(left, key=_optional(ir))), None)
            _report_unknown_input(context, ir, port, path, near)
            meant.update(filter(None, [near]))
        elif (ref := _reference(context, text, path)) is not None:
            ir.sources[port] = ref
    for port, declared in inputs.items():
        if port not in wanted and not declared.optional and port not in meant:
            _report_missing_input(context, ir, port)


def _written_inputs(name: str, spec: NodeSpec, first: str) -> dict[str, tuple[str, Path]]:
    """Source and path in the file of each input port; a text alone means the port ``first``."""
    path = ("nodes", name, "in")
    if isinstance(spec.inputs, str):
        return {first: (spec.inputs, path)}
    return {port: (text, (*path, port)) for port, text in (spec.inputs or {}).items()}


def _optional(ir: NodeIR) -> Callable[[str], bool]:
    return lambda port: ir.node.declared.inputs[port].optional


def _report_unknown_input(
    context: CompileContext, ir: NodeIR, port: str, path: Path, near: str | None
) -> None:
    """Reports an unknown input; ``near`` is the one that was probably meant."""
    inputs = ir.node.declared.inputs
    known = ", ".join(inputs) or "none"
    mark = context.loaded.source_map.key(path)
    text, _ = _written_inputs(ir.name, ir.spec, "")[port]
    context.problems.add(
        "unknown-port",
        f"{ir.name} ({ir.node.use}) has no input `{port}`; it has: {known}",
        mark,
        fix=assignment(dotted((*path[:-1], near)), text, mark) if near else f"remove {port}",
    )


def _report_missing_input(context: CompileContext, ir: NodeIR, port: str) -> None:
    kind = ir.node.declared.inputs[port].kind
    after = _readers(context, ir.name)
    candidates = ["input"] if kind.kind == INPUT.port else []
    candidates += [
        f"{other.name}.{name}" if i else other.name
        for other in context.nodes.values()
        if other.name not in after
        for i, (name, out) in enumerate(other.node.declared.outputs.items())
        if out.kind is kind
    ]
    where = ["nodes", ir.name, "in"]
    if len(ir.node.declared.inputs) > 1:
        where.append(port)
    wanted = " or ".join(candidates[:3]) or f"a node that gives {kind.kind} (voicegraph nodes)"
    context.problems.add(
        "missing-input",
        f"{ir.name} ({ir.node.use}) needs its input `{port}` ({kind.kind})",
        context.mark(*ir.path),
        fix=f"{dotted(tuple(where))}: {wanted}",
    )


def _readers(context: CompileContext, name: str) -> set[str]:
    """A node and all its direct and indirect readers."""
    reads = {other: _reads(spec) for other, spec in context.file.nodes.items()}
    return _reach(name, {n: [o for o in reads if n in reads[o]] for n in reads})


def reaching_output(context: CompileContext) -> set[str]:
    """The nodes that reach the output according to the file."""
    nodes = context.file.nodes
    last = context.file.output.partition(".")[0]
    # If the output names no node, that is reported, and any node may have been meant.
    return _reach(last, {n: _reads(s) for n, s in nodes.items()}) if last in nodes else {*nodes}


def _reads(spec: NodeSpec) -> list[str]:
    return [text.partition(".")[0] for text, _ in _written_inputs("", spec, "").values()]


def _reach(start: str, edges: dict[str, list[str]]) -> set[str]:
    found = {start}
    todo = [start]
    while todo:
        fresh = [name for name in edges.get(todo.pop(), []) if name not in found]
        found.update(fresh)
        todo.extend(fresh)
    return found


def _reference(context: CompileContext, text: str, path: Path) -> PortRef | None:
    """The port that ``node.port`` names; a node alone means its first output."""
    node, _, port = text.partition(".")
    if node in context.loaded.broken:
        return None  # the mistake in that node is reported there
    if node != INPUT.node and node not in context.file.nodes:
        names = [INPUT.node, *context.file.nodes]
        message = f"`{text}` names no node of this pipeline; there are: {', '.join(names)}"
        likely = names[:0:-1] if path == ("output",) else names
        right = _nearest(node, names) or " or ".join(likely[:3])
        meant = context.nodes.get(right)
        if meant is not None and port in list(meant.node.declared.outputs)[1:]:
            right = f"{right}.{port}"
        _report(context, "no-such-node", message, path, right)
        return None
    ir = context.nodes.get(node)
    if ir is None and node != INPUT.node:
        return None
    outputs = list(ir.node.declared.outputs) if ir else [INPUT.port]
    if not port and outputs:
        return PortRef(node, outputs[0])
    if port in outputs:
        return PortRef(node, port)
    name = f"{node} ({ir.node.use})" if ir else "the pipeline's input"
    wrong = f"output `{port}`" if port else "output"
    message = f"{name} has no {wrong}; it has: {', '.join(outputs) or 'none'}"
    near = _nearest(port, outputs)
    right = f"{node}.{near}" if near and near != outputs[0] else node
    _report(context, "unknown-port", message, path, right if outputs else None)
    return None


def _report(
    context: CompileContext, code: str, message: str, path: Path, right: str | None
) -> None:
    mark = context.mark(*path)
    fix = assignment(dotted(path), right, mark) if right else "name a node that has outputs"
    context.problems.add(code, message, mark, fix=fix)


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most similar to ``word``; None if none is similar."""
    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.5)), None)
