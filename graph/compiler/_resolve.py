"""Phase: resolves node names to classes, params to models, and sources to ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from voicegraph.schemas.pipeline import NodeSpec

from .. import registry
from ..errors import Mark, Problem, VoicegraphError
from ..file_contents import files_read
from ..files.voice_library import pipelines_of
from ..loading.confinement import is_within, outside_problem
from ..loading.library_files import library_entry, meant_names, model_path
from ..loading.source_map import KeyPath, SourceMap
from ..loading.validation import add_validation_problems, field_errors
from ..loading.values import assignment
from ..node import Node, NodeParams
from ._connect import connect
from .node_ir import CompileContext, NodeIR


def resolve(context: CompileContext) -> None:
    """Fills ``context.nodes``: node, params, declared ports and sources."""
    for name, spec in context.file.nodes.items():
        ir = _node_ir(context, name, spec)
        if ir is not None:
            context.nodes[name] = ir
    connect(context)


def _node_ir(context: CompileContext, name: str, spec: NodeSpec) -> NodeIR | None:
    cls = _find(context, name, spec.use)
    if cls is None:
        return None
    try:
        raw, dropped = _raw_params(context, name, spec, cls)
    except VoicegraphError as error:  # a name of the library of voices that names no file
        context.problems.found.extend(p for p in error.problems if p not in context.problems.found)
        return None
    node = cls()
    node.name, node.seed, node.block = name, context.file.seed, context.block
    try:
        params = cls.Params.model_validate(raw)
    except ValidationError as error:
        _add_param_problems(context, name, spec, cls, error)
        off = not spec.enabled and cls.declared.inputs
        return NodeIR(name, node, cls.Params.model_construct(), spec) if off else None
    if _lacks_asset(context, params, cls):
        return None  # the asset is reported already
    if _names_files_outside(context, name, params):
        return None  # before anything is opened
    try:
        node.declared = node.ports(params)
    except VoicegraphError as error:
        if not spec.enabled and cls.declared.inputs:
            return NodeIR(name, node, params, spec)  # a node that is off needs no files
        for problem in error.problems:
            _add_file_problem(context, name, params, problem)
        return None
    return NodeIR(name, node, params, spec, dropped=dropped)


def _add_file_problem(
    context: CompileContext, name: str, params: NodeParams, problem: Problem
) -> None:
    """Reports a file's problem at the param that names it, once if several nodes read it."""
    at = [
        key
        for key in sorted(params.file_fields())
        if getattr(params, key) and str(getattr(params, key)) in problem.message
    ]
    told = [p for p in context.problems.found if p.code == problem.code]
    if at and any(p.message.endswith(f": {problem.message}") for p in told):
        return
    path = ("nodes", name, "params", *at[:1])
    written = context.file.nodes[name].params.get(at[0]) if at else None
    if isinstance(written, str):
        problem = _with_library_names(context, path, written, problem)
    origin = context.loaded.source_map.origin(path)
    context.problems.add(
        problem.code,
        f"{name}: {problem.message}",
        problem.mark or context.mark(*path),
        notes=[*problem.notes, *([("the value comes from a var", origin)] if origin else [])],
        fix=problem.fix,
    )


def _with_library_names(
    context: CompileContext, path: KeyPath, written: str, problem: Problem
) -> Problem:
    """The problem of a file, with what the library of voices knows of it.

    Of a missing file, the names that may have been meant; of a voice of another network, the
    pipelines that speak with it.
    """
    places = context.loaded.source_map
    if problem.code == "wrong-kind":
        entry = library_entry(places, path, written)
        usable = () if entry is None else pipelines_of(entry.card)
        if entry is None or not usable:
            return problem
        fix = f"use a pipeline that speaks with {entry.name}: {' or '.join(usable)}"
        return replace(problem, fix=fix)
    meant = meant_names(places, path, written) if problem.code == "no-such-file" else None
    if meant is None:
        return problem
    return replace(problem, notes=(*problem.notes, (meant.message, None)), fix=meant.fix)


def _add_param_problems(
    context: CompileContext, name: str, spec: NodeSpec, cls: type[Node], error: ValidationError
) -> None:
    """Reports wrong params; those that are missing or null are allowed for a node that is off."""
    prefix = ("nodes", name, "params")
    absent: list[KeyPath] = []
    if not spec.enabled:
        found = field_errors(error, context.loaded.source_map, prefix, cls.Params)
        open_ = (e for e in found if e.kind == "missing" or e.error["input"] is None)
        absent = [(*prefix, *e.path) for e in open_]
    add_validation_problems(
        context.problems,
        error,
        context.loaded.source_map,
        prefix,
        cls.Params,
        f"{name} ({spec.use})",
        skip=absent,
    )


def _names_files_outside(context: CompileContext, name: str, params: NodeParams) -> bool:
    """Reports the files of a node that a confined pipeline must not read."""
    allowed = context.loaded.confinement
    if allowed is None:
        return False
    found = [
        outside_problem(f"{name}.{param}", path, allowed, _mark_of(context, name, param))
        for param, path in files_read(params).items()
        if not is_within(path, allowed)
    ]
    context.problems.found += found
    return bool(found)


def _mark_of(context: CompileContext, name: str, param: str) -> Mark:
    key = param.partition(".")[0]
    return context.mark("nodes", name, "params", key)


def _lacks_asset(context: CompileContext, params: NodeParams, cls: type[Node]) -> bool:
    """Whether a node would read an asset whose value is not known after another mistake."""
    absent = "weights" in cls.Params.model_fields and getattr(params, "weights", None) is None
    return absent and cls.asset_name() in context.loaded.unknown_assets


def _find(context: CompileContext, name: str, use: str) -> type[Node] | None:
    try:
        return registry.find(use)
    except KeyError:
        mark = context.mark("nodes", name, "use")
        close = registry.nearest(use)
        context.problems.add(
            "unknown-node",
            f"{name} uses {use}, but no node has that name",
            mark,
            fix=assignment(f"nodes.{name}.use", close[0], mark) if close else "voicegraph nodes",
        )
    except Exception as error:  # a third-party module may fail in any way
        text = f"{use} cannot be loaded: {type(error).__name__}: {error}"
        fix = f"correct the module that defines {use}, or use another node"
        context.problems.add("node-fails", text, context.mark("nodes", name, "use"), fix=fix)
    return None


def _raw_params(
    context: CompileContext, name: str, spec: NodeSpec, cls: type[Node]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Params as written, with absolute file names and the node's asset as ``weights``."""
    raw = dict(spec.params)
    fields = cls.Params.model_fields
    dropped: tuple[str, ...] = ()
    if name in context.loaded.swapped:
        # These params of the file were written for the node that was replaced.
        path = ("nodes", name, "params")
        dropped = tuple(
            k
            for k in raw
            if k not in fields and not context.loaded.source_map.is_override((*path, k))
        )
        raw = {k: v for k, v in raw.items() if k not in dropped}
    places, read = context.loaded.source_map, cls.Params.file_fields() - cls.Params.output_fields()
    for key in cls.Params.file_fields() & raw.keys():
        if isinstance(raw[key], str):
            at = ("nodes", name, "params", key)
            named = model_path if key in read else SourceMap.resolve
            raw[key] = named(places, at, raw[key])
    asset = context.file.assets.get(cls.asset_name())
    if asset is not None and "weights" in fields and raw.get("weights") is None:
        raw["weights"] = asset
    return raw, dropped
