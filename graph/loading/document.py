"""Documents: the plain values of a pipeline file, each with the place where it was written."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import Mark, PipelineError, Problem, Problems
from ..regular_file import (
    FileNameError,
    NotRegularFileError,
    open_regular,
    read_failure,
    shortened,
)
from . import _yaml12 as yaml12
from ._yaml_values import TreeReader
from .source_map import Place, SourceMap
from .values import describe, paths_in, to_plain

MAX_BYTES = 1 << 20
"""Largest size of a pipeline file; real ones have a few kilobytes."""

SUFFIXES = (".yaml", ".yml")
_UTF8 = "save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values and their source map.

    Attributes:
        data: nested dict, list, str, int, float, bool and None; see :func:`to_plain`.
        source_map: where each value was written.
        swapped: names of the nodes whose ``use`` was changed by an override or extending file.
    """

    data: Any
    source_map: SourceMap
    swapped: frozenset[str] = field(default_factory=frozenset)


def read_document(path: Path, source: str | None = None, asked: Mark | None = None) -> Document:
    """Reads a pipeline file.

    Args:
        path: the file.
        source: its name in messages; by default the path as given.
        asked: the place in another file that names this one, if there is one.

    Raises:
        PipelineError: if it is missing, too large, not UTF-8, not YAML, or not one mapping of
            plain values; or contains a key twice, a tag, or a recursive alias.
    """
    source = shortened(source or path)
    try:
        with open_regular(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PipelineError(_missing(path, source, asked)) from None
    except OSError as error:
        raise PipelineError(_unreadable(path, source, asked, error)) from None
    if len(raw) > MAX_BYTES:
        text = f"larger than {MAX_BYTES // 1024} KiB: this is not a pipeline file"
        fix = "give a pipeline file (.yaml)"
        raise PipelineError(Problem("file-too-large", text, Mark(source), fix=fix))
    return parse_document(_decode(raw, source), source, Path(os.path.abspath(path)).parent)  # noqa: PTH100


def _unreadable(path: Path, source: str, asked: Mark | None, error: OSError) -> Problem:
    why = read_failure(error)
    match error:
        case FileNameError():
            return Problem("no-such-file", f"{source}: {why}", asked, fix="check the name")
        case NotRegularFileError(kind="a folder"):
            text = f"{source} is a folder"
            return Problem("no-such-file", text, asked, fix=_in_folder(path))
        case NotRegularFileError():
            fix = "give the name of a pipeline file"
            return Problem("not-regular-file", f"{source} is {why}", asked, fix=fix)
        case _:
            text = f"{source} cannot be read: {why}"
            fix = "choose a file that you have permission to read"
            return Problem("unreadable-file", text, asked, fix=fix)


def _missing(path: Path, source: str, asked: Mark | None) -> Problem:
    folder = path.parent
    if not folder.is_dir():
        text = f"{source} does not exist, nor does the folder {folder}"
        return Problem("no-such-file", text, asked, fix="check the path")
    there = sorted(p.name for p in folder.iterdir() if p.suffix in SUFFIXES)
    stems = difflib.get_close_matches(path.stem, [Path(name).stem for name in there], 3, 0.5)
    close = [name for stem in stems for name in there if Path(name).stem == stem]
    listed = list(dict.fromkeys([*close, *there]))[:8]
    notes = ((f"pipeline files there: {', '.join(listed)}", None),) if listed else ()
    fix = str(folder / close[0]) if close else "check the path"
    return Problem("no-such-file", f"{source} does not exist", asked, notes, fix)


def _in_folder(path: Path) -> str:
    there = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
    return " or ".join(str(p) for p in there[:3]) or "name a file in it"


def _decode(raw: bytes, source: str) -> str:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        mark = Mark(source, before.count(b"\n") + 1, column)
        text = f"not UTF-8: byte 0x{raw[error.start]:02x} is invalid here"
        raise PipelineError(Problem("not-utf8", text, mark, fix=_UTF8)) from None


def parse_document(text: str, source: str, base: Path) -> Document:
    """Reads the text of a pipeline file; relative file names in it resolve against ``base``.

    Raises:
        PipelineError: as :func:`read_document`.
    """
    problems = Problems()
    root = yaml12.compose(text, source, problems)
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        problems.raise_if_any()
        fix = "start with:  block: 10ms"
        raise PipelineError(Problem("empty-file", "the file is empty", Mark(source, 1, 1), fix=fix))
    reading = TreeReader(source, base, problems)
    data = reading.value(root, (), yaml12.mark_of(root, source))
    if not isinstance(data, dict):
        found = f"a pipeline file is a mapping of keys to values, found {describe(data)}"
        mark = yaml12.mark_of(root, source)
        problems.add("not-a-mapping", found, mark, fix="start with:  block: 10ms")
    problems.raise_if_any()
    return Document(data, SourceMap(source, reading.places, base))


def parse_value(text: str, mark: Mark) -> Any:
    """One plain value, such as the one after ``--set path=``; all errors are placed at ``mark``.

    Raises:
        PipelineError: as :func:`read_document`, or if a YAML comment would cut the value short.
    """
    problems = Problems()
    try:
        root = yaml12.compose(text, mark.source, problems)
        reading = TreeReader(mark.source, Path(), problems)
        value = reading.value(root, (), mark) if root is not None else None
        problems.raise_if_any()
    except PipelineError as error:
        moved = (Problem(p.code, p.message, mark, (), p.fix) for p in error.problems)
        raise PipelineError(moved) from None
    left = text[root.end_mark.index :] if isinstance(root, yaml.ScalarNode) else ""
    if (root is None and text.strip()) or left.strip():
        message = f"YAML treats everything after # as a comment: {text.strip()}"
        fix = f"put quotes around the value:  {mark.source}='\"{text.strip()}\"'"
        raise PipelineError(Problem("yaml-comment", message, mark, fix=fix))
    return value


def from_python(data: Any, mark: Mark, *, override: bool = False) -> Document:
    """Plain values from Python objects, all placed at ``mark``, relative to the working directory.

    Raises:
        PipelineError: if a key is not text, or the nesting is too deep.
    """
    values = to_plain(data, mark)
    place = Place(mark, mark, Path.cwd(), override=override)
    return Document(values, SourceMap(mark.source, dict.fromkeys(paths_in(values), place)))
