"""Source map: where every value of a pipeline was written, in a file or in an override."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Mark

KeyPath = tuple[str | int, ...]
"""A place inside nested mappings and lists: ``("nodes", "f0", "params", "floor")``."""


def dotted(path: KeyPath) -> str:
    """A path in dotted form, as after ``--set``: ``nodes.f0.params.floor``."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, slots=True)
class Place:
    """The origin of one value.

    Attributes:
        value: mark of the value.
        key: mark of its key; for list items and the top level, of the value itself.
        base: absolute directory against which relative file names written here resolve.
        elsewhere: directories in which a relative file name is looked for, in this order, if
            ``base`` has no such file: for overrides, which are written outside of any file.
        var: name of the var that it came from, if it did.
        whole: whether it is the var's whole value and not part of a longer text.
        override: whether an override, or the file that changed the node's ``use``, wrote it.
        own: whether the user gave it: with ``--set``, or in Python; not a pipeline file.
    """

    value: Mark
    key: Mark
    base: Path
    var: str | None = None
    whole: bool = False
    override: bool = False
    typed: str | None = None
    elsewhere: tuple[Path, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Places by path. An unknown path has the place of its nearest known ancestor.

    Attributes:
        source: name of the pipeline, for paths without any known ancestor.
        places: the known places by path.
        directory: base of relative file names without a known place.
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
        """The directory against which a relative file name at ``path`` resolves."""
        place = self._nearest(path)
        return place.base if place else self.directory

    def elsewhere(self, path: KeyPath) -> tuple[Path, ...]:
        """Where else a relative file name at ``path`` is looked for: see :class:`Place`."""
        place = self._nearest(path)
        return place.elsewhere if place else ()

    def origin(self, path: KeyPath) -> Mark | None:
        """The mark of the var that the value came from; None if it came from none."""
        place = self._nearest(path)
        return self.value(("vars", place.var)) if place and place.var else None

    def var(self, path: KeyPath) -> str | None:
        """The name of the var whose whole value is at ``path``; None if there is none."""
        place = self._nearest(path)
        return place.var if place and place.whole else None

    def is_override(self, path: KeyPath) -> bool:
        """Whether an override wrote the value or anything inside it.

        Params in an extending file that changes the node's ``use`` count too, because they were
        written for the new node.
        """
        place = self._nearest(path)
        inside = (p for at, p in self.places.items() if at[: len(path)] == path)
        return bool(place and place.override) or any(p.override for p in inside)

    def is_own(self, path: KeyPath) -> bool:
        """Whether the user gave the value, and not a pipeline file, which may be a stranger's."""
        place = self._nearest(path)
        return place is not None and place.own

    def resolve(self, path: KeyPath, name: str) -> Path:
        """The absolute path of a file name written at ``path``; ``~`` is the home directory.

        If the file exists nowhere, it is that in :meth:`base`.
        """
        try:
            given = Path(name).expanduser()
        except RuntimeError:  # ~name without such a user is an ordinary name
            given = Path(name)
        found = [
            Path(os.path.abspath(folder / given))  # noqa: PTH100 (keeps symlinks)
            for folder in (self.base(path), *self.elsewhere(path))
        ]
        return next((file for file in found if os.path.lexists(file)), found[0])

    def at(self, path: KeyPath) -> SourceMap:
        """The source map of the value at ``path``, with paths that start there."""
        inside = {at[len(path) :]: p for at, p in self.places.items() if at[: len(path)] == path}
        return SourceMap(self.source, inside, self.base(path))

    def _nearest(self, path: KeyPath) -> Place | None:
        return next((self.places[p] for p in _ancestry(path) if p in self.places), None)


def _ancestry(path: KeyPath) -> Iterator[KeyPath]:
    """The path itself and its parents, up to the top."""
    for length in range(len(path), -1, -1):
        yield path[:length]
