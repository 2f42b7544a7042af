"""Documents: the plain values of a file, each with the place where it was written."""

from __future__ import annotations

import codecs
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
from ._quoting import override_fix, quoted_yaml, text_override_fix
from ._recognition import is_text_of, require_kind
from ._yaml_values import TreeReader
from .file_kind import PIPELINE, FileKind
from .source_map import Place, SourceMap
from .values import describe, paths_in, to_plain

MAX_BYTES = 1 << 20
"""Largest size of a file; real ones have a few kilobytes."""

SUFFIXES = (".yaml", ".yml")
_UTF8 = "save the file as UTF-8"
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16."""
_WITHOUT_TEXT = ("yaml-syntax", "yaml-too-large", "yaml-too-deep", "empty-file")
"""Codes of mistakes whose messages hold nothing of the file, if they may not."""


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values and their source map.

    Attributes:
        data: nested dict, list, str, int, float, bool and None; see :func:`to_plain`.
        source_map: where each value was written.
        swapped: names of the nodes whose ``use`` was changed by an override or extending file.
        files: the files it was read from, if it was just read.
        kind: what kind of file it is.
        text: of the file, if it was just read.
    """

    data: Any
    source_map: SourceMap
    swapped: frozenset[str] = field(default_factory=frozenset)
    files: tuple[Path, ...] = ()
    kind: FileKind = PIPELINE
    text: str = ""


def read_document(
    path: Path,
    source: str | None = None,
    asked: Mark | None = None,
    kind: FileKind = PIPELINE,
) -> Document:
    """Reads a file.

    Args:
        path: the file.
        source: its name in messages; by default the path as given.
        asked: the place in another file that names this one, if there is one.
        kind: what kind of file is wanted.

    Raises:
        PipelineError: if it is missing, too large, not UTF-8, not YAML, or not one mapping of
            plain values; or contains a key twice, a tag, or a recursive alias; or if it is of
            another kind.
    """
    source = shortened(source or path)
    try:
        with open_regular(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PipelineError(_missing(path, source, asked, kind)) from None
    except OSError as error:
        raise PipelineError(_unreadable(path, source, asked, error, kind)) from None
    if len(raw) > MAX_BYTES:
        text = f"larger than {MAX_BYTES // 1024} KiB: this is not {kind.family.a} file"
        fix = f"give {kind.family.a} file (.yaml)"
        raise PipelineError(Problem("file-too-large", text, Mark(source), fix=fix))
    text = _decode(raw, source, kind)
    own = is_text_of(kind.family, text)
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100
    try:
        document = parse_document(text, source, folder, quote=own, kind=kind)
    except PipelineError as error:
        # With another mistake, too, the file is of the kind if it looks like one.
        if own or error.problems[0].code in _WITHOUT_TEXT:
            raise
        require_kind(None, source, kind)
        raise
    require_kind(document.data, source, kind)
    return document


def _unreadable(
    path: Path, source: str, asked: Mark | None, error: OSError, kind: FileKind
) -> Problem:
    why = read_failure(error)
    match error:
        case FileNameError():
            return Problem("no-such-file", f"{source}: {why}", asked, fix="check the name")
        case NotRegularFileError(kind="a folder"):
            text = f"{source} is a folder"
            return Problem("no-such-file", text, asked, fix=_in_folder(path))
        case NotRegularFileError():
            fix = f"give the name of {kind.family.a} file"
            return Problem("not-regular-file", f"{source} is {why}", asked, fix=fix)
        case _:
            text = f"{source} cannot be read: {why}"
            fix = "choose a file that you have permission to read"
            return Problem("unreadable-file", text, asked, fix=fix)


def _missing(path: Path, source: str, asked: Mark | None, kind: FileKind) -> Problem:
    folder = path.parent
    if not folder.is_dir():
        text = f"{source} does not exist, nor does the folder {folder}"
        return Problem("no-such-file", text, asked, fix="check the path")
    there = sorted(p.name for p in folder.iterdir() if p.suffix in SUFFIXES)
    stems = difflib.get_close_matches(path.stem, [Path(name).stem for name in there], 3, 0.5)
    close = [name for stem in stems for name in there if Path(name).stem == stem]
    listed = list(dict.fromkeys([*close, *there]))[:8]
    notes = ((f"{kind.word} files there: {', '.join(listed)}", None),) if listed else ()
    fix = str(folder / close[0]) if close else "check the path"
    return Problem("no-such-file", f"{source} does not exist", asked, notes, fix)


def _in_folder(path: Path) -> str:
    there = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
    return " or ".join(str(p) for p in there[:3]) or "name a file in it"


def _decode(raw: bytes, source: str, kind: FileKind) -> str:
    """The text of a file.

    Raises:
        PipelineError: if it is not UTF-8; the message names the encoding that it may have.
    """
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    if encoding is not None:
        text = f"this is {encoding} text, expected UTF-8"
        raise PipelineError(Problem("not-utf8", text, Mark(source, 1, 1), fix=_UTF8))
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        mark = Mark(source, before.count(b"\n") + 1, column)
        raise PipelineError(_not_utf8(raw, error.start, mark, kind)) from None


def _not_utf8(raw: bytes, position: int, mark: Mark, kind: FileKind) -> Problem:
    if b"\0" in raw:
        fix = f"give {kind.family.a} file (.yaml)"
        return Problem("not-utf8", "this is no text file", mark, fix=fix)
    text = "not UTF-8: a byte is invalid here"
    character = raw[position : position + 1].decode("cp1252", "replace")
    if character.isalpha() and is_text_of(kind.family, raw.decode("latin-1")):
        text += f"; in the Western European encodings (Latin-1, Windows-1252) it is {character}"
    return Problem("not-utf8", text, mark, fix=_UTF8)


def parse_document(
    text: str, source: str, base: Path, *, quote: bool = True, kind: FileKind = PIPELINE
) -> Document:
    """Reads the text of a file; relative file names in it resolve against ``base``.

    Args:
        text: of the file.
        source: its name in messages.
        base: the folder of the file.
        quote: whether messages about wrong syntax may quote the text.
        kind: what kind of file it is.

    Raises:
        PipelineError: as :func:`read_document`.
    """
    problems = Problems()
    root = yaml12.compose(text, source, problems, quote=quote)
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        problems.raise_if_any()
        fix = f"start with:  {kind.first_line}"
        raise PipelineError(Problem("empty-file", "the file is empty", Mark(source, 1, 1), fix=fix))
    reading = TreeReader(text, source, base, problems)
    data = reading.value(root, (), yaml12.mark_of(root, source))
    if not isinstance(data, dict):
        found = f"{kind.family.a} file is a mapping of keys to values, found {describe(data)}"
        mark = yaml12.mark_of(root, source)
        problems.add("not-a-mapping", found, mark, fix=f"start with:  {kind.first_line}")
    problems.raise_if_any()
    return Document(data, SourceMap(source, reading.places, base), kind=kind, text=text)


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """A plain value as somebody typed it.

    Attributes:
        data: the value.
        text: what was typed.
        plain: whether it is one scalar without quotes, such as ``007``.
        braces: whether it is no mapping or list, or one in brackets.
    """

    data: Any
    text: str
    plain: bool
    braces: bool


def parse_value(text: str, mark: Mark) -> Any:
    """One plain value, such as the one after ``--set path=``; all errors are placed at ``mark``.

    Raises:
        PipelineError: as :func:`read_document`, or if a YAML comment would cut the value short.
    """
    return parse_written_value(text, mark).data


def parse_written_value(text: str, mark: Mark) -> WrittenValue:
    """As :func:`parse_value`, with how the value was written.

    Raises:
        PipelineError: as :func:`parse_value`.
    """
    problems = Problems()
    try:
        root = yaml12.compose(text, mark.source, problems, lone=True)
        reading = TreeReader(text, mark.source, Path(), problems)
        value = reading.value(root, (), mark) if root is not None else None
        problems.raise_if_any()
    except PipelineError as error:
        raise PipelineError(
            _as_override(problem, text, mark) for problem in error.problems
        ) from None
    left = text[root.end_mark.index :] if isinstance(root, yaml.ScalarNode) else ""
    if (root is None and text.strip()) or left.strip():
        message = f"YAML treats everything after # as a comment: {text.strip()}"
        fix = f"put quotes around the value:  {text_override_fix(mark.source, text.strip())}"
        raise PipelineError(Problem("yaml-comment", message, mark, fix=fix))
    plain = isinstance(root, yaml.ScalarNode) and root.style is None
    braces = not isinstance(root, yaml.CollectionNode) or bool(root.flow_style)
    return WrittenValue(value, text.strip(), plain, braces)


def _as_override(problem: Problem, text: str, mark: Mark) -> Problem:
    """A problem of a value, with a fix that gives the whole override."""
    typed, fix = text.strip(), problem.fix
    if problem.code == "yaml-syntax" and (right := yaml12.corrected(text)) is not None:
        as_text = right.strip() == quoted_yaml(typed)
        fix = text_override_fix(mark.source, typed) if as_text else override_fix(mark.source, right)
    elif problem.code in ("yaml-tag", "yaml-anchor") and " " not in typed:
        fix = text_override_fix(mark.source, typed)
    elif problem.code == "yaml-escape" and typed.startswith('"'):
        fix = override_fix(mark.source, problem.fix or "")
    return Problem(problem.code, problem.message, mark, (), fix)


def from_python(
    data: Any,
    mark: Mark,
    *,
    override: bool = False,
    typed: str | None = None,
    own: bool = False,
    kind: FileKind = PIPELINE,
) -> Document:
    """Plain values from Python objects, all placed at ``mark``, relative to the working directory.

    Args:
        data: the objects.
        mark: their place.
        override: whether they override a file.
        typed: the scalar without quotes that was read as ``data``, if it was one.
        own: whether the user gave them.
        kind: what kind of file they are the contents of, or override.

    Raises:
        PipelineError: if a key is not text, or the nesting is too deep.
    """
    values = to_plain(data, mark)
    place = Place(mark, mark, Path.cwd(), override=override, typed=typed, own=own)
    source_map = SourceMap(mark.source, dict.fromkeys(paths_in(values), place))
    return Document(values, source_map, kind=kind)
