"""Experiments as a kind of file: what the code that loads files has to know of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.graph.loading.file_kind import EXPERIMENTS, FileKind
from voicegraph.graph.loading.source_map import KeyPath
from voicegraph.schemas.experiment import ExperimentFile

MERGE_KEY = "extends"
"""In a factor, ``extends: true`` keeps the levels of the extended experiment."""
_REMOVABLE = ("factors", "targets", "require", "goals", "baseline")
"""Keys whose members null removes."""
_OF_FORMS = ("swap", "levels", "set", "values", MERGE_KEY)
"""Keys of factors that are no levels."""


def _removed(path: KeyPath, current: Any) -> bool:
    """Null removes a factor, a target, a goal, and a level that is something.

    Where a level is null already, it stays: the clip without a condition.
    """
    if len(path) == 2 and path[0] in _REMOVABLE:
        return True
    plain = len(path) == 3 and path[0] == "factors" and path[2] not in _OF_FORMS
    return _is_swap_level(path) or (plain and current is not None)


def _is_swap_level(path: KeyPath) -> bool:
    return len(path) == 4 and path[0] == "factors" and path[2] == "levels"


def _replaced(path: KeyPath) -> bool:
    """A factor is given as a whole, as a list is, and so is a level of it."""
    in_levels = len(path) == 3 and path[2] == "levels"
    return path[0] == "factors" and len(path) > 1 and not in_levels


def _spelled_out(path: KeyPath, current: Any, part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A level of a swap that is a name, as a mapping."""
    return {"use": current, **part} if _is_swap_level(path) and isinstance(current, str) else None


def _in_factor(rest: tuple[str, ...]) -> str:
    return ".".join(rest)


EXPERIMENT = FileKind(
    family=EXPERIMENTS,
    model=ExperimentFile,
    first_line="metrics: [latency]",
    example="clips.files",
    template="factors.FACTOR.LEVEL",
    members={"factors": "factor", "targets": "target", "vars": "var"},
    new_members={
        "factors": {"set": "PATH", "values": ["VALUE"]},
        "targets": {"set": {"vars.voice": "FILE"}},
    },
    main="factors",
    inner=_in_factor,
    mappings=frozenset(
        {"factors", "levels", "targets", "clips", "draw", "cut", "set", "params", "resources"}
    ),
    removes=_removed,
    replaces=_replaced,
    spelled_out=_spelled_out,
    merge_key=MERGE_KEY,
)
