"""Overrides: ``--set nodes.f0.use=f0.rmvpe``, a dict in Python, a profile in the file.

All three are dotted paths with values, and are merged into the file by ``_merge``.

Overrides from outside of the file (``--set``, Python, a running session over HTTP and so on) name
files by one rule: relative to the working directory; if it has no such file, to the folder of the
pipeline's file; else to that of the shipped pipelines. A profile is a part of its file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import Mark, PipelineError, Problem, Problems
from ..regular_file import shortened
from ._merge import merge
from ._quoting import override_fix, text_override_fix
from ._yaml12 import MAX_DEPTH
from .document import Document, WrittenValue, from_python, parse_written_value
from .file_kind import PIPELINE, FileKind
from .model_fields import keys_of
from .source_map import KeyPath, SourceMap, dotted
from .values import assignment, describe, flow_yaml, is_text

_SET = "--set "
_FIXED = {
    "profiles": "profiles are applied before overrides: use --profile",
    "extends": "extends is applied before overrides: write a file that extends it",
}


@dataclass(frozen=True, slots=True)
class Override:
    """One value at one path.

    Attributes:
        path: the path that it overrides.
        value: the new value; paths in its source map start at the value.
        mark: where the path itself was written.
    """

    path: KeyPath
    value: Document
    mark: Mark

    def as_fix(self, path: str, value: Any = None) -> str:
        """The fix that gives another path or value, in the form in which this one was given."""
        shown = flow_yaml(self.value.data if value is None else value)
        return assignment(path, shown, self.mark)


def parse_set(text: str, option: str = _SET, kind: FileKind = PIPELINE) -> tuple[str, Any]:
    """Splits ``nodes.f0.use=f0.rmvpe`` into dotted path and value in YAML; no text means null.

    Messages name ``option`` as the place.

    Raises:
        PipelineError: if there is no ``=``, no path before it, or no plain YAML after it.
    """
    path, value = _parse(text, option, kind)
    return path, value.data


def _parse(text: str, option: str, kind: FileKind) -> tuple[str, WrittenValue]:
    path, equals, value = text.partition("=")
    path = path.strip()
    mark = _mark(option, path)
    if not equals:
        problem = Problem("bad-override", "an override has the form path=value, found no =", mark,
                          fix=f"{option}{shortened(path) or kind.example}=VALUE")  # fmt: skip
        raise PipelineError(problem)
    keys = split_path(path, mark, kind)
    written = parse_written_value(value, mark)
    if not written.braces:
        raise PipelineError(_block_style(keys, written, mark, kind))
    return path, written


def _mark(option: str, path: str) -> Mark:
    return Mark(f"{option}{shortened(path)}")


def _block_style(path: KeyPath, written: WrittenValue, mark: Mark, kind: FileKind) -> Problem:
    """The problem of ``take: 2.pth``, which is a mapping in YAML and hardly ever meant as one."""
    is_list = isinstance(written.data, list)
    sign, read = ("- ", "a list") if is_list else (": ", "a mapping")
    text = f"YAML reads {written.text} as {read}, because of `{sign}` in it"
    if path[-1] in kind.mappings or (path[0] in kind.mappings and len(path) <= 2):
        fix = override_fix(mark.source, flow_yaml(written.data))
    else:
        fix = text_override_fix(mark.source, written.text)
    return Problem("yaml-block", text, mark, fix=fix)


def from_command_line(
    arguments: Iterable[str], problems: Problems, kind: FileKind = PIPELINE
) -> list[Override]:
    """The ``--set`` arguments in order; relative paths refer to the working directory."""
    found: list[Override] = []
    for text in arguments:
        try:
            path, written = _parse(text, _SET, kind)
        except PipelineError as error:
            problems.found.extend(error.problems)
            continue
        mark = _mark(_SET, path)
        typed = written.text if written.plain else None
        value = from_python(written.data, mark, override=True, typed=typed, own=True)
        found.append(Override(split_path(path, mark, kind), value, mark))
    return found


def from_dict(
    overrides: Mapping[str, object], problems: Problems, kind: FileKind = PIPELINE
) -> list[Override]:
    """Overrides from Python in order; relative paths refer to the working directory."""
    found: list[Override] = []
    for path, value in overrides.items():
        mark = _mark("override ", str(path))
        try:
            keys = split_path(path, mark, kind)
            found.append(Override(keys, from_python(value, mark, override=True, own=True), mark))
        except PipelineError as error:
            problems.found.extend(error.problems)
    return found


def looked_up_in(override: Override, folders: tuple[Path, ...]) -> Override:
    """The override, with folders in which its relative file names are looked for, too."""
    written = override.value
    places = {
        path: replace(place, elsewhere=folders) for path, place in written.source_map.places.items()
    }
    source_map = replace(written.source_map, places=places)
    return replace(override, value=replace(written, source_map=source_map))


def from_outside(
    document: Document,
    overrides: Mapping[str, object],
    set_args: Sequence[str],
    problems: Problems,
) -> list[Override]:
    """Overrides from outside of a file, in Python and then on the command line.

    Args:
        document: what they override.
        overrides: values by dotted path.
        set_args: ``path=value`` texts.
        problems: gets the mistakes.
    """
    kind = document.kind
    wanted = [*from_dict(overrides, problems, kind), *from_command_line(set_args, problems, kind)]
    folders = (document.source_map.directory, kind.family.folder)
    return [looked_up_in(override, folders) for override in wanted]


def from_other_file(document: Document, placed: Iterable[Override]) -> list[Override]:
    """Overrides that another file has: relative file names are looked for beside that file first.

    A value that came from a var of that file keeps its place, and no longer refers to the var.
    """
    folders = (document.source_map.directory, document.kind.family.folder)
    found: list[Override] = []
    for override in (looked_up_in(given, folders) for given in placed):
        source_map = override.value.source_map
        places = {
            path: replace(place, var=None, whole=False) for path, place in source_map.places.items()
        }
        value = replace(override.value, source_map=replace(source_map, places=places))
        found.append(replace(override, value=value))
    return found


def from_document(document: Document, at: KeyPath, value: Any, path: KeyPath) -> Override:
    """The override of ``path`` that a value in a document stands for, with its places there.

    Args:
        document: the document.
        at: where the value is in it.
        value: the value.
        path: what it overrides.
    """
    source_map = document.source_map.at(at)
    places = {p: replace(place, override=True) for p, place in source_map.places.items()}
    written = Document(value, SourceMap(source_map.source, places, source_map.directory))
    return Override(path, written, document.source_map.key(at))


def from_profile(document: Document, name: str, problems: Problems) -> list[Override]:
    """The overrides of the profile ``name``, with their places in the file."""
    profiles = document.data.get("profiles")
    known = list(profiles) if isinstance(profiles, dict) else []
    if name not in known:
        close = difflib.get_close_matches(name, known, 1, 0.5) or known[:1]
        offered = f"it has: {', '.join(known)}" if known else "it has none"
        problems.add(
            "unknown-profile", f"the {document.kind.word} has no profile {name}; {offered}",
            Mark(f"--profile {name}"),
            fix=f"--profile {close[0]}" if close else f"remove --profile {name}",
        )  # fmt: skip
        return []
    found: list[Override] = []
    values = profiles[name] if isinstance(profiles[name], dict) else {}  # validation reports others
    for path, value in values.items():
        at: KeyPath = ("profiles", name, path)
        try:
            keys = split_path(path, document.source_map.key(at), document.kind)
            found.append(from_document(document, at, value, keys))
        except PipelineError as error:
            problems.found.extend(error.problems)
    return found


def split_path(path: str, mark: Mark, kind: FileKind = PIPELINE) -> KeyPath:
    """The parts of a dotted path.

    Raises:
        PipelineError: if it is none.
    """
    parts = tuple(path.split(".")) if isinstance(path, str) else ()
    named = all(part and part == part.strip() and is_text(part) for part in parts)
    if not parts or not named or len(parts) > MAX_DEPTH:
        text = f"{shortened(str(path))!r} is not a dotted path"
        raise PipelineError(Problem("bad-override", text, mark, fix=f"write it as {kind.example}"))
    return parts


def apply_overrides(
    document: Document, overrides: Iterable[Override], problems: Problems
) -> Document:
    """The document with the overrides merged in order; wrong ones are reported and left out."""
    applied: list[Override] = []
    for override in overrides:
        problem = _section_problem(document, override) or _path_problem(document, override)
        if problem:
            problems.found.append(problem)
            continue
        document = merge(document, _layer(document, override), override.path)
        applied.append(override)
    return _keep_overrides(document, applied)


def _layer(document: Document, override: Override) -> Document:
    """The override as a document, with the mappings that lead to its value."""
    data = override.value.data
    own = override.value.source_map
    places = {(*override.path, *at): place for at, place in own.places.items()}
    for length in range(len(override.path) - 1, -1, -1):
        leading = override.path[:length]
        data = {override.path[length]: data}
        if leading not in document.source_map.places:
            places[leading] = own.places[()]
    source_map = SourceMap(document.source_map.source, places, document.source_map.directory)
    return Document(data, source_map, kind=document.kind)


def _keep_overrides(document: Document, overrides: list[Override]) -> Document:
    """Params that were set before the ``use`` they belong to still count as overrides."""
    places = dict(document.source_map.places)
    for override in overrides:
        for at in override.value.source_map.places:
            path = (*override.path, *at)
            if path in places and not places[path].override:
                places[path] = replace(places[path], override=True)
    source_map = SourceMap(document.source_map.source, places, document.source_map.directory)
    return replace(document, source_map=source_map)


def _section_problem(document: Document, override: Override) -> Problem | None:
    """The problem with the first part of a path, if there is one."""
    first, *rest = override.path
    path = dotted(override.path)
    if first in _FIXED:
        fix = _FIXED[str(first)]
        return Problem("bad-override", f"{path} cannot be overridden", override.mark, fix=fix)
    kind = document.kind
    sections = [key for key in keys_of(kind.model) if key not in _FIXED]
    if first in sections:
        return None
    fix = None
    if not rest and first in _mapping(document.data.get("vars")):
        fix = f"vars.{path}"
    elif first in _mapping(document.data.get(kind.main)):
        fix = ".".join(filter(None, (kind.main, str(first), kind.inner(tuple(map(str, rest))))))
    elif close := difflib.get_close_matches(str(first), sections, 1, 0.5):
        fix = ".".join([close[0], *map(str, rest)])
    text = f"there is no {first} to override; a path starts with one of: {', '.join(sections)}"
    fix = override.as_fix(fix or kind.template)
    return Problem("unknown-key", text, override.mark, fix=fix)


def _path_problem(document: Document, override: Override) -> Problem | None:
    """The problem of a path through a missing value or a value without parts, if there is one."""
    kind = document.kind
    section, *rest = override.path
    if rest and section in kind.members:
        known = _mapping(document.data.get(str(section)))
        addable = section in kind.new_members and isinstance(override.value.data, dict)
        if rest[0] not in known and not (addable and len(rest) == 1):
            return _unknown_member(document, override, list(known))
    unlike = _mapping(document.data.get("vars")).keys() - _mapping(document.data.get("assets"))
    if section == "assets" and rest and rest[0] in unlike:
        text = f"the {kind.word} has no asset {rest[0]}, but a var of that name"
        fix = override.as_fix(f"vars.{rest[0]}")
        return Problem("unknown-var", text, override.mark, fix=fix)
    current = document.data
    for length, part in enumerate(override.path):
        if isinstance(current, dict):
            current = current.get(part)
        elif current is None:
            break
        else:
            whole = dotted(override.path[:length])
            text = f"{whole} is {describe(current)}, and has no part {part}"
            if isinstance(current, list):
                text += "; a list is given as a whole"
                written = _with_entry(current, override.path[length:], override.value.data)
            else:
                further = {str(part): override.value.data}
                written = kind.spelled_out(override.path[:length], current, further)
            fix = override.as_fix(whole, written)
            notes = ((whole, document.source_map.value(override.path[:length])),)
            return Problem("bad-override", text, override.mark, notes, fix)
    return None


def _with_entry(values: list[Any], path: Sequence[str | int], data: Any) -> list[Any]:
    """A list with one value inside it replaced, since a path does not lead into lists.

    Where the path leads nowhere, it is the list as it is, to be edited.
    """
    found = deepcopy(values)
    place: Any = found
    for number, part in enumerate(path):
        key: Any = int(part) if isinstance(place, list) and str(part).isdecimal() else part
        known = key in range(len(place)) if isinstance(place, list) else isinstance(place, dict)
        if not known:
            return values
        if number == len(path) - 1:
            place[key] = data
        else:
            place = place[key] if isinstance(place, list) else place.setdefault(key, {})
    return found


def _unknown_member(document: Document, override: Override, known: list[str]) -> Problem:
    section, name, *rest = map(str, override.path)
    kind = document.kind
    word = kind.members[section]
    close = difflib.get_close_matches(name, known, 1, 0.5)
    text = f"the {kind.word} has no {word} {name}; it has: {', '.join(known) or 'none'}"
    if section == "vars" and name in _mapping(document.data.get("assets")):
        text = f"the {kind.word} has no var {name}, but an asset of that name"
        fix = override.as_fix(f"assets.{name}")
    elif close:
        fix = override.as_fix(".".join([section, close[0], *rest]))
    elif section in kind.new_members:
        fix = f"{override.as_fix(f'{section}.{name}', kind.new_members[section])}  (to add one)"
    else:
        fix = f"vars: {{{name}: null}}  in the file, and use it as ${name}"
    return Problem(f"unknown-{'var' if word == 'var' else 'key'}", text, override.mark, fix=fix)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
