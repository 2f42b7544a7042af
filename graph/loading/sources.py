"""Finds pipelines: files by path, shipped pipelines by name, and the files that they extend."""

from __future__ import annotations

import difflib
import importlib.resources
import os
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Mark, PipelineError, Problem
from ..regular_file import name_problem
from ._merge import merge
from .document import SUFFIXES, Document, read_document
from .source_map import SourceMap
from .values import describe


@dataclass(frozen=True, slots=True)
class Source:
    """A pipeline file.

    Attributes:
        path: the file.
        shown: its name in messages.
        shipped: whether it is part of the package.
    """

    path: Path
    shown: str
    shipped: bool = False


def shipped() -> dict[str, Path]:
    """The pipelines of the package: name -> path."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def shipped_folder() -> Path:
    """The folder of the pipelines of the package, with their models and voices."""
    return Path(str(importlib.resources.files("voicegraph.pipelines")))


def locate(source: str | Path, beside: Source | None = None, asked: Mark | None = None) -> Source:
    """The file that a name or path refers to; it is not opened here.

    Args:
        source: a path (it has a separator, or ends in .yaml or .yml), or the name of a shipped
            pipeline.
        beside: the file that names it; relative paths refer to its folder.
        asked: the place in that file.

    Raises:
        PipelineError: if no shipped pipeline has that name, and no file can have it.
    """
    if (problem := name_problem(source)) is not None:
        raise PipelineError(replace(problem, mark=asked))
    if isinstance(source, Path) or "/" in source or "\\" in source or source.endswith(SUFFIXES):
        if beside is None:
            return Source(Path(source), str(source))
        shown = os.path.normpath(Path(beside.shown).parent / source)
        return Source(beside.path.parent / source, shown, beside.shipped)
    known = shipped()
    if source in known:
        return Source(known[source], f"voicegraph/pipelines/{source}.yaml", shipped=True)
    raise PipelineError(_unknown_name(source, list(known), beside, asked))


def _unknown_name(
    name: str, known: list[str], beside: Source | None, asked: Mark | None
) -> Problem:
    close = difflib.get_close_matches(name, known, 3, 0.5)
    listed = ", ".join([*close, *(k for k in known if k not in close)]) or "none"
    folder = beside.path.parent if beside else Path()
    files = [f"./{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").is_file()]
    fix = (files or close or ["give a path that ends in .yaml"])[0]
    text = f"no shipped pipeline is called {name!r}; there are: {listed}"
    return Problem("unknown-pipeline", text, asked, fix=fix)


def read_chain(source: Source) -> Document:
    """Reads a pipeline file and merges it into the files that it extends.

    Raises:
        PipelineError: if one of them cannot be read, or one extends itself.
    """
    return apply_extends(read_source(source), source)


def read_source(source: Source, asked: Mark | None = None) -> Document:
    """Reads one file. If it is missing, the error suggests a shipped pipeline of that name.

    Raises:
        PipelineError: as :func:`read_document`.
    """
    try:
        return read_document(source.path, source.shown, asked)
    except PipelineError as error:
        problem = error.problems[0]
        stem = source.path.stem
        if problem.code != "no-such-file" or stem not in shipped() or source.path.is_dir():
            raise
        notes = (*problem.notes, (f"a shipped pipeline is called {stem}", None))
        raise PipelineError(
            Problem(problem.code, problem.message, asked, notes, fix=stem)
        ) from None


def apply_extends(document: Document, source: Source) -> Document:
    """Merges a document into the files that it extends.

    Raises:
        PipelineError: as :func:`read_chain`.
    """
    layers, chain = [document], [source]
    notes: list[tuple[str, Mark | None]] = []
    while (parent := _extended(layers[-1])) is not None:
        asked = layers[-1].source_map.value(("extends",))
        try:
            found = locate(parent, chain[-1], asked)
            notes.append((f"{chain[-1].shown} extends {found.shown}", asked))
            _refuse_extends_cycle(found, chain, notes)
            layers.append(read_source(found, asked))
        except PipelineError as error:
            raise _with_extends_notes(error, str(parent), notes) from None
        chain.append(found)
    merged = _without_extends(layers.pop())
    for layer in reversed(layers):
        merged = merge(merged, _without_extends(layer))
    return replace(merged, files=tuple(found.path for found in chain))


def _extended(document: Document) -> str | None:
    parent = document.data.get("extends")
    if parent is None or (isinstance(parent, str) and parent.strip()):
        return parent
    mark = document.source_map.value(("extends",))
    text = f"extends is {describe(parent)}, expected the name or path of a pipeline"
    raise PipelineError(Problem("wrong-type", text, mark, fix="extends: base.yaml"))


def _refuse_extends_cycle(
    found: Source, chain: list[Source], notes: list[tuple[str, Mark | None]]
) -> None:
    paths = [source.path.resolve() for source in chain]
    if found.path.resolve() not in paths:
        return
    *_, (_, mark) = notes
    text = f"a pipeline cannot extend itself: {found.shown} occurs again"
    fix = f"remove `extends: {found.path.name if not found.shipped else found.path.stem}` here"
    raise PipelineError(Problem("recursive-extends", text, mark, fix=fix))


def _with_extends_notes(
    error: PipelineError, written: str, notes: list[tuple[str, Mark | None]]
) -> PipelineError:
    """Adds the chain of ``extends`` that led to a file, and a fix for the line that names it."""
    way = tuple(notes) if error.problems[0].code == "recursive-extends" or len(notes) > 1 else ()
    found: list[Problem] = []
    for p in error.problems:
        fix = p.fix
        if p.code == "no-such-file" and fix and fix.endswith(SUFFIXES):
            fix = f"extends: {(Path(written).parent / Path(fix).name).as_posix()}"
        elif p.code == "unknown-pipeline" and fix and " " not in fix:
            fix = f"extends: {fix}"
        found.append(Problem(p.code, p.message, p.mark, (*p.notes, *way), fix))
    return PipelineError(found)


def _without_extends(document: Document) -> Document:
    data = {key: value for key, value in document.data.items() if key != "extends"}
    source_map = document.source_map
    places = {path: place for path, place in source_map.places.items() if path[:1] != ("extends",)}
    return Document(
        data, SourceMap(source_map.source, places, source_map.directory), document.swapped
    )
