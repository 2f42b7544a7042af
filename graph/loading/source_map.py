"""Where every value of a pipeline was written: line and column, or the override that brought it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Mark

KeyPath = tuple[str | int, ...]
"""A place inside nested mappings and lists: ``("nodes", "f0", "params", "floor")``."""


def dotted(path: KeyPath) -> str:
    """``nodes.f0.params.floor``, as it is types_known after ``--set``."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, slots=True)
class Place:
    """The origin of one value.

    Attributes:
        value: where the value stands.
        key: where its key stands; for list items and the top level, the value itself.
        base: directory that relative file names written here resolve against; absolute.
        var: for a value that came through a ``$name``, the name.
        whole: whether the var's value is all of it, and not a part of longer text.
        override: whether an override (or the file that swapped the node) wrote it.
    """

    value: Mark
    key: Mark
    base: Path
    var: str | None = None
    whole: bool = False
    override: bool = False


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Places by path. A path that is not known is answered for by its nearest known ancestor.

    Attributes:
        source: name of the whole, for a pipeline that has no places at all.
        places: what is known, by path.
        directory: base of relative file names where no place says otherwise.
    """

    source: str
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    directory: Path = field(default_factory=Path.cwd)

    def value(self, path: KeyPath) -> Mark:
        """The mark of the value at ``path``."""
        place = self._nearest(path)
        return place.value if place else Mark(self.source)

    def key(self, path: KeyPath) -> Mark:
        """The mark of the key at ``path``."""
        place = self._nearest(path)
        return place.key if place else Mark(self.source)

    def base(self, path: KeyPath) -> Path:
        """The directory that a relative file name written at ``path`` resolves against."""
        place = self._nearest(path)
        return place.base if place else self.directory

    def origin(self, path: KeyPath) -> Mark | None:
        """The mark of the var that the value came through, if it came through one."""
        place = self._nearest(path)
        return self.value(("vars", place.var)) if place and place.var else None

    def var(self, path: KeyPath) -> str | None:
        """The name of the var whose value is all of what stands at ``path``."""
        place = self._nearest(path)
        return place.var if place and place.whole else None

    def is_override(self, path: KeyPath) -> bool:
        """Whether the value, or anything inside it, was written by an override.

        That includes params that stand in an extending file which changes the node's ``use``:
        they were written for the node that is there now.
        """
        place = self._nearest(path)
        inside = (p for at, p in self.places.items() if at[: len(path)] == path)
        return bool(place and place.override) or any(p.override for p in inside)

    def resolve(self, path: KeyPath, name: str) -> Path:
        """A file name written at ``path``, absolute; ``~`` is the home directory."""
        try:
            given = Path(name).expanduser()
        except RuntimeError:  # ~stranger: no such user, so it is a name like any other
            given = Path(name)
        return Path(os.path.abspath(self.base(path) / given))  # noqa: PTH100 (keeps symlinks)

    def at(self, path: KeyPath) -> SourceMap:
        """The source_map of the part below ``path``, with paths that start there."""
        inside = {at[len(path) :]: p for at, p in self.places.items() if at[: len(path)] == path}
        return SourceMap(self.source, inside, self.base(path))

    def _nearest(self, path: KeyPath) -> Place | None:
        return next((self.places[p] for p in _ancestry(path) if p in self.places), None)


def _ancestry(path: KeyPath) -> Iterator[KeyPath]:
    """The path itself, then what it lies in, up to the top."""
    for length in range(len(path), -1, -1):
        yield path[:length]
