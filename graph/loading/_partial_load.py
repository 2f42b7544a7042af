"""Partial load: a pipeline file without its wrong parts, to find further mistakes.

The compiler checks what remains, so that all mistakes are reported together. A partially loaded
pipeline never runs.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from voicegraph.schemas.pipeline import PipelineFile

from .document import Document
from .source_map import KeyPath
from .validation import FieldError, field_errors, valid_name

_NODE_DEFAULTS = {"device", "fallback", "dtype"}
"""Keys of a node whose default can replace a wrong value without hiding other mistakes."""

_PLACEHOLDERS = {"block": "10ms", "output": "input"}
"""Values for required keys that are missing; types that depend on them are not checked."""


@dataclass(frozen=True)
class PartialPipeline:
    """A file without its wrong parts.

    Attributes:
        file: what remains.
        broken: nodes that were left out; other nodes may still name them as sources.
        unknown_assets: assets without a known value, whose nodes cannot be checked either.
        types_known: whether rates and types can be inferred: block and input are as written.
    """

    file: PipelineFile
    broken: frozenset[str] = frozenset()
    unknown_assets: frozenset[str] = frozenset()
    types_known: bool = True


def load_partially(
    document: Document, error: ValidationError | None, unknown: Collection[KeyPath]
) -> PartialPipeline | None:
    """The file without its wrong parts; None if nothing remains to check.

    Args:
        document: the values of the file.
        error: what is wrong with them, if anything is.
        unknown: paths of values that are not known, because a var has no value.
    """
    data = copy.deepcopy(document.data)
    broken: set[str] = set()
    assets: set[str] = set()
    types_known = True
    errors = _errors(document, error)
    wrong = [failure.path for failure in errors]
    renamed = {
        valid_name(str(e.path[1]))
        for e in errors
        if e.of_key and e.path[:1] == ("nodes",) and e.path[1:]
    }
    broken |= renamed  # other nodes may use the name as it should be
    for path in map(_part_to_leave_out, [*wrong, *unknown]):
        if not path:
            return None
        if path[0] == "nodes" and len(path) == 2:
            broken.add(str(path[1]))
        if path[0] == "assets":
            assets.update(map(str, path[1:] or document.data.get("assets") or ()))
        types_known = types_known and not _decides_types(path)
        _remove(data, path)
    for key, value in _PLACEHOLDERS.items():
        data.setdefault(key, value)
    if broken and not data.get("nodes"):
        return None
    try:
        file = PipelineFile.model_validate(data)
    except ValidationError:
        return None
    return PartialPipeline(file, frozenset(broken), frozenset(assets), types_known)


def _errors(document: Document, error: ValidationError | None) -> list[FieldError]:
    return field_errors(error, document.source_map, (), PipelineFile) if error else []


def _part_to_leave_out(path: KeyPath) -> KeyPath:
    """Path of the smallest part to leave out so that the rest is consistent."""
    if path[:1] == ("nodes",) and len(path) > 1:
        harmless = len(path) == 3 and path[2] in _NODE_DEFAULTS
        return path if harmless else path[:2]
    return path[:2] if path[:1] in (("profiles",), ("vars",), ("assets",)) else path


def _decides_types(path: KeyPath) -> bool:
    near = difflib.get_close_matches(str(path[0]), ["block", "input"], 1, 0.6)
    return path[0] in ("block", "input") or (len(path) == 1 and bool(near))


def _remove(data: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        if not isinstance(data, dict) or part not in data:
            return
        data = data[part]
    if isinstance(data, dict):
        data.pop(path[-1], None)
