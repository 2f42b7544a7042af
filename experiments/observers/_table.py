"""The shipped observers by name, and who asks the registry for one."""

from __future__ import annotations

from ..metric import Observer
from ..registry import OBSERVERS

BUILTIN: dict[str, str] = {
    "contour.level": "level_contour",
}
"""Name -> module of this folder."""


def find(name: str) -> type[Observer]:
    """The observer of a name.

    Raises:
        KeyError: if the name is unknown.
        ImportError: if its module fails.
    """
    return OBSERVERS.find(name)


def names() -> list[str]:
    """Every known observer, sorted."""
    return OBSERVERS.names()
