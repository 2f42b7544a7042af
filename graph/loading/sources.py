"""Finds files: by path, those that come along by name, and the files that they extend."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Mark, PipelineError, Problem
from ..regular_file import name_problem
from ._merge import merge
from .confinement import Confinement, require_within
from .document import SUFFIXES, Document, read_document
from .file_kind import FAMILIES, PIPELINE, PIPELINES, FileKind
from .source_map import SourceMap
from .values import describe


@dataclass(frozen=True, slots=True)
class Source:
    """A file.

    Attributes:
        path: the file.
        shown: its name in messages.
        shipped: whether it is part of the package.
        kind: what kind of file it should be.
    """

    path: Path
    shown: str
    shipped: bool = False
    kind: FileKind = PIPELINE


def shipped() -> dict[str, Path]:
    """The pipelines of the package: name -> path."""
    return PIPELINES.shipped()


def shipped_folder() -> Path:
    """The folder of the pipelines of the package, with their models and voices."""
    return PIPELINES.folder


def locate(
    source: str | Path,
    beside: Source | None = None,
    asked: Mark | None = None,
    kind: FileKind = PIPELINE,
) -> Source:
    """The file that a name or path refers to; it is not opened here.

    Args:
        source: a path (it has a separator, or ends in .yaml or .yml), or the name of a shipped
            file.
        beside: the file that names it; relative paths refer to its folder.
        asked: the place in that file.
        kind: what kind of file it is.

    Raises:
        PipelineError: if no shipped file has that name, and no file can have it.
    """
    if (problem := name_problem(source)) is not None:
        raise PipelineError(replace(problem, mark=asked))
    if isinstance(source, Path) or "/" in source or "\\" in source or source.endswith(SUFFIXES):
        if beside is None:
            return Source(Path(source), str(source), kind=kind)
        shown = os.path.normpath(Path(beside.shown).parent / source)
        return Source(beside.path.parent / source, shown, beside.shipped, kind)
    known = kind.family.shipped()
    if source in known:
        folder = kind.family.package.replace(".", "/")
        return Source(known[source], f"{folder}/{source}.yaml", shipped=True, kind=kind)
    raise PipelineError(_unknown_name(source, kind, beside, asked))


def _unknown_name(name: str, kind: FileKind, beside: Source | None, asked: Mark | None) -> Problem:
    known = list(kind.family.shipped())
    close = difflib.get_close_matches(name, known, 3, 0.5)
    listed = ", ".join([*close, *(k for k in known if k not in close)]) or "none"
    folder = beside.path.parent if beside else Path()
    files = [f"./{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").is_file()]
    fix = (files or close or ["give a path that ends in .yaml"])[0]
    text = f"no shipped {kind.word} is called {name!r}; there are: {listed}"
    notes = tuple(
        (f"a shipped {other.word} is called {name}: {other.commands} take it", None)
        for other in FAMILIES
        if other is not kind.family and name in other.shipped()
    )
    return Problem(f"unknown-{kind.word}", text, asked, notes, fix)


def read_chain(source: Source, confined: Confinement | None = None) -> Document:
    """Reads a file and merges it into the files that it extends.

    Args:
        source: the file; it may lie anywhere.
        confined: the folders in which those that it extends may lie; None: everywhere.

    Raises:
        PipelineError: if one of them cannot or must not be read, or one extends itself.
    """
    return apply_extends(read_source(source), source, confined)


def read_source(source: Source, asked: Mark | None = None) -> Document:
    """Reads one file. If it is missing, the error suggests a shipped one of that name.

    Raises:
        PipelineError: as :func:`read_document`.
    """
    try:
        return read_document(source.path, source.shown, asked, source.kind)
    except PipelineError as error:
        problem = error.problems[0]
        stem = source.path.stem
        known = source.kind.family.shipped()
        if problem.code != "no-such-file" or stem not in known or source.path.is_dir():
            raise
        notes = (*problem.notes, (f"a shipped {source.kind.word} is called {stem}", None))
        raise PipelineError(
            Problem(problem.code, problem.message, asked, notes, fix=stem)
        ) from None


def apply_extends(
    document: Document, source: Source, confined: Confinement | None = None
) -> Document:
    """Merges a document into the files that it extends.

    Raises:
        PipelineError: as :func:`read_chain`.
    """
    layers, chain = [document], [source]
    notes: list[tuple[str, Mark | None]] = []
    while (parent := _extended(layers[-1])) is not None:
        asked = layers[-1].source_map.value(("extends",))
        try:
            found = locate(parent, chain[-1], asked, source.kind)
            notes.append((f"{chain[-1].shown} extends {found.shown}", asked))
            require_within(f"{chain[-1].shown}: extends", found.path, confined, asked)
            _refuse_extends_cycle(found, chain, notes)
            layers.append(read_source(found, asked))
        except PipelineError as error:
            raise _with_extends_notes(error, str(parent), notes) from None
        chain.append(found)
    merged = _without_extends(layers.pop())
    for layer in reversed(layers):
        merged = merge(merged, _without_extends(layer))
    files = tuple(found.path for found in chain)
    return replace(merged, files=files, text=document.text)


def _extended(document: Document) -> str | None:
    parent = document.data.get("extends")
    if parent is None or (isinstance(parent, str) and parent.strip()):
        return parent
    mark = document.source_map.value(("extends",))
    text = f"extends is {describe(parent)}, expected the name or path of {document.kind.family.a}"
    raise PipelineError(Problem("wrong-type", text, mark, fix="extends: base.yaml"))


def _refuse_extends_cycle(
    found: Source, chain: list[Source], notes: list[tuple[str, Mark | None]]
) -> None:
    paths = [source.path.resolve() for source in chain]
    if found.path.resolve() not in paths:
        return
    *_, (_, mark) = notes
    text = f"{found.kind.family.a} cannot extend itself: {found.shown} occurs again"
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
        elif p.code.startswith("unknown-") and fix and " " not in fix:
            fix = f"extends: {fix}"
        found.append(Problem(p.code, p.message, p.mark, (*p.notes, *way), fix))
    return PipelineError(found)


def _without_extends(document: Document) -> Document:
    data = {key: value for key, value in document.data.items() if key != "extends"}
    source_map = document.source_map
    places = {path: place for path, place in source_map.places.items() if path[:1] != ("extends",)}
    source_map = SourceMap(source_map.source, places, source_map.directory)
    return replace(document, data=data, source_map=source_map)
