"""Patterns of cells: ``pipeline=world|default, noise=babble*``, for ``exclude`` and ``--only``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

TARGET = "target"
"""Stands for the target where there is no factor of this name."""


@dataclass(frozen=True, slots=True)
class CellPattern:
    """Levels that a cell must have.

    Attributes:
        levels: factor -> levels, of which it has one: several are separated by ``|``, ``*`` stands
            for any text, and ``?`` for any character.
    """

    levels: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> CellPattern:
        """Reads ``factor=level|level, factor=level``.

        Raises:
            ValueError: if it is no such text.
        """
        found: dict[str, str] = {}
        for part in text.split(","):
            factor, equals, level = (piece.strip() for piece in part.partition("="))
            if not equals or not factor or not level:
                raise ValueError(f"expected factor=level, found {part.strip()!r:.60}")
            if factor in found:
                raise ValueError(f"{factor} occurs twice")
            found[factor] = level
        return cls(found)

    def matches(self, levels: Mapping[str, str]) -> bool:
        """Whether a cell with these levels has them all."""
        return all(
            factor in levels
            and any(fnmatchcase(levels[factor], part.strip()) for part in level.split("|"))
            for factor, level in self.levels.items()
        )

    def __str__(self) -> str:
        return ", ".join(f"{factor}={level}" for factor, level in self.levels.items())
