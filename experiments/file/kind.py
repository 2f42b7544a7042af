"""Experiments as a kind of file: what the code that loads files has to know of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.graph.loading.file_kind import EXPERIMENTS, FileKind
from voicegraph.graph.loading.source_map import KeyPath
from voicegraph.schemas.experiment import ExperimentFile

_REMOVABLE = ("factors", "targets", "require", "goals", "baseline")
"""Keys whose members null removes."""


def _removed(path: KeyPath) -> bool:
    """Null removes a factor, a target, a goal, and a level of a swap.

    Levels of other factors stay: there, null is a level, the clip without a condition.
    """
    return (len(path) == 2 and path[0] in _REMOVABLE) or _is_swap_level(path)


def _is_swap_level(path: KeyPath) -> bool:
    return len(path) == 4 and path[0] == "factors" and path[2] == "levels"


def _replaced(path: KeyPath) -> bool:
    """A factor is given as a whole, as a list is, and so is a level of it."""
    return path[0] == "factors" and len(path) > 1


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
)
