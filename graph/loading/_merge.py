"""Merges documents: a file into the one that it extends, an override into a file.

Mappings merge, other values replace. ``null`` removes a node, or an input of a node. Every value
keeps the place of the document that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .document import Document
from .source_map import KeyPath, Place, SourceMap


def merge(parent: Document, child: Document) -> Document:
    """A new document: ``parent`` with the values of ``child``.

    If a node's ``use`` changes, the params that ``parent`` has for the former node no longer count
    as overrides, and those of ``child`` do: see :meth:`SourceMap.is_override`.
    """
    layer = _Merge()
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
    return Document(data, source_map, parent.swapped | child.swapped | layer.swapped)


def _as_override(path: KeyPath, place: Place, swapped: set[str]) -> Place:
    return replace(place, override=True) if _in_params(path, swapped) else place


def _in_params(path: KeyPath, nodes: set[str]) -> bool:
    return len(path) > 3 and path[0] == "nodes" and path[1] in nodes and path[2] == "params"


@dataclass(slots=True)
class _Merge:
    """One merge: which paths it replaced and removed, and which nodes changed their ``use``."""

    replaced: set[KeyPath] = field(default_factory=set)
    removed: set[KeyPath] = field(default_factory=set)
    swapped: set[str] = field(default_factory=set)

    def merge(self, old: Any, new: Any, path: KeyPath) -> Any:
        if not isinstance(old, dict) or not isinstance(new, dict):
            self.replaced.add(path)
            return new
        if _is_node(path) and _changes_use(old, new):
            self.swapped.add(str(path[1]))
        merged = dict(old)
        for key, value in new.items():
            at = (*path, key)
            if value is None and key in old and _removable(at):
                del merged[key]
                self.removed.add(at)
            else:
                merged[key] = self.merge(old[key], value, at) if key in old else value
        return merged

    def hides(self, path: KeyPath) -> bool:
        """Whether the value that ``parent`` had at ``path`` was replaced or removed."""
        gone = self.replaced | self.removed
        return any(path[:length] in gone for length in range(len(path) + 1))


def _is_node(path: KeyPath) -> bool:
    return len(path) == 2 and path[0] == "nodes"


def _changes_use(old: dict[str, Any], new: dict[str, Any]) -> bool:
    before, after = old.get("use"), new.get("use")
    return isinstance(before, str) and isinstance(after, str) and before != after


def _removable(path: KeyPath) -> bool:
    return _is_node(path) or (len(path) == 4 and path[0] == "nodes" and path[2] == "in")
