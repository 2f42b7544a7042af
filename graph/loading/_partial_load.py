"""What remains of a pipeline file when the parts that are wrong are left out.

Only for looking further: the compiler then finds its own mistakes too, and all are told at once.
Nothing ever runs that was salvaged.
"""

from __future__ import annotations

import copy
import difflib
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from voicegraph.schemas.pipeline import PipelineFile

from .document import Document
from .source_map import KeyPath
from .validation import FieldError, field_errors

_NODE_DEFAULTS = {"device", "fallback", "dtype"}
"""Keys of a node whose default can stand in for a wrong value, for the time being."""

_PLACEHOLDERS = {"block": "10ms", "output": "input"}
"""For keys that a file must have. The types that follow from them are not looked at."""


@dataclass(frozen=True)
class PartialPipeline:
    """A file with what was wrong left out.

    Attributes:
        file: what remains.
        broken: nodes that were left out; that others read them is no mistake of theirs.
        types_known: whether rates and types can be inferred: block and input are as written.
    """

    file: PipelineFile
    broken: frozenset[str]
    types_known: bool


def load_partially(document: Document, error: ValidationError) -> PartialPipeline | None:
    """The file without what is wrong in it, or None where nothing to look at remains."""
    data = copy.deepcopy(document.data)
    broken: set[str] = set()
    types_known = True
    for failure in field_errors(error, document.source_map, (), PipelineFile):
        path = _part_to_leave_out(failure)
        if not path:
            return None
        if path[0] == "nodes" and len(path) == 2:
            broken.add(str(path[1]))
        types_known = types_known and not _decides_types(path)
        _remove(data, path)
    for key, value in _PLACEHOLDERS.items():
        data.setdefault(key, value)
    try:
        return PartialPipeline(PipelineFile.model_validate(data), frozenset(broken), types_known)
    except ValidationError:
        return None


def _part_to_leave_out(failure: FieldError) -> KeyPath:
    """The smallest part without which the rest makes sense."""
    path = failure.path
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
