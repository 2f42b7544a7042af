"""Merges documents: a file into the one that it extends, an override into a file.

Mappings merge, other values replace. What ``null`` removes, and which mappings replace, is up to
the kind of file. Every value keeps the place of the document that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .document import Document
from .file_kind import FileKind
from .source_map import KeyPath, Place, SourceMap


def merge(parent: Document, child: Document, leading: KeyPath = ()) -> Document:
    """A new document: ``parent`` with the values of ``child``.

    Args:
        parent: the document that is changed.
        child: what changes it.
        leading: if ``child`` is one value at one path, this path: the mappings on the way to it
            merge, of whatever kind they are.

    If a node's ``use`` changes, the params that ``parent`` has for the former node no longer count
    as overrides, and those of ``child`` do: see :meth:`SourceMap.is_override`.
    """
    layer = _Merge(parent.kind, leading)
    data = layer.merge(parent.data, child.data, ())
    places = {
        path: replace(place, override=False) if _in_params(path, layer.swapped) else place
        for path, place in parent.source_map.places.items()
        if not layer.hides(path)
    }
    for path, place in child.source_map.places.items():
        if path not in layer.removed:
            places[path] = _as_override(path, place, layer.swapped)
    source_map = SourceMap(child.source_map.source, places, child.source_map.directory)
    swapped = parent.swapped | child.swapped | layer.swapped
    return Document(data, source_map, swapped, kind=parent.kind)


def _as_override(path: KeyPath, place: Place, swapped: set[str]) -> Place:
    return replace(place, override=True) if _in_params(path, swapped) else place


def _in_params(path: KeyPath, nodes: set[str]) -> bool:
    return len(path) > 3 and path[0] == "nodes" and path[1] in nodes and path[2] == "params"


@dataclass(slots=True)
class _Merge:
    """One merge: which paths it replaced and removed, and which nodes changed their ``use``."""

    kind: FileKind
    leading: KeyPath
    replaced: set[KeyPath] = field(default_factory=set)
    removed: set[KeyPath] = field(default_factory=set)
    swapped: set[str] = field(default_factory=set)

    def merge(self, old: Any, new: Any, path: KeyPath) -> Any:
        if not isinstance(old, dict) or not isinstance(new, dict) or self.replaces(path, new):
            self.replaced.add(path)
            return new
        if _is_node(path) and _changes_use(old, new):
            self.swapped.add(str(path[1]))
        merged = dict(old)
        for key, value in new.items():
            at = (*path, key)
            if key == self.kind.merge_key and self.kind.replaces(path):
                self.removed.add(at)
            elif value is None and key in old and self.kind.removes(at, old[key]):
                del merged[key]
                self.removed.add(at)
            else:
                merged[key] = self.merge(old[key], value, at) if key in old else value
        return merged

    def replaces(self, path: KeyPath, new: dict[str, Any]) -> bool:
        """Whether a mapping takes the place of the one that is there."""
        merges = self.kind.merge_key is not None and new.get(self.kind.merge_key) is True
        return bool(path) and self.kind.replaces(path) and not merges and not self.leads(path)

    def leads(self, path: KeyPath) -> bool:
        """Whether a path is on the way to the one value of the child."""
        return len(path) < len(self.leading) and self.leading[: len(path)] == path

    def hides(self, path: KeyPath) -> bool:
        """Whether the value that ``parent`` had at ``path`` was replaced or removed."""
        gone = self.replaced | self.removed
        return any(path[:length] in gone for length in range(len(path) + 1))


def _is_node(path: KeyPath) -> bool:
    return len(path) == 2 and path[0] == "nodes"


def _changes_use(old: dict[str, Any], new: dict[str, Any]) -> bool:
    before, after = old.get("use"), new.get("use")
    return isinstance(before, str) and isinstance(after, str) and before != after
