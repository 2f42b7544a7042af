"""Converts YAML nodes to plain values and records the place of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import Mark, Problems
from . import _yaml12 as yaml12
from .source_map import KeyPath, Place
from .values import describe


@dataclass(slots=True)
class TreeReader:
    """One pass over a tree; places are collected in ``places``, mistakes in ``problems``.

    Raises:
        PipelineError: from :meth:`value`, if aliases expand too far.
    """

    source: str
    base: Path
    problems: Problems
    places: dict[KeyPath, Place] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    count: int = 0

    def value(self, node: yaml.Node, path: KeyPath, key: Mark) -> Any:
        """The plain value of a node; ``key`` is the mark of its key."""
        mark = yaml12.mark_of(node, self.source)
        self.count += 1
        if self.count > yaml12.MAX_NODES:
            raise yaml12.too_many(mark)
        if len(path) > yaml12.MAX_DEPTH:
            raise yaml12.too_deep(mark)
        self.places[path] = Place(mark, key if path else mark, self.base)
        while isinstance(node, yaml12.Alias):
            node = node.value
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, mark)
        if id(node) in self.open:
            text = "an alias inside the value that it refers to never ends"
            self.problems.add("recursive-alias", text, mark, fix="write the value out")
            return None
        self.open.add(id(node))
        value = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else [
            self.value(item, (*path, i), yaml12.mark_of(item, self.source))
            for i, item in enumerate(node.value)
        ]  # fmt: skip
        self.open.remove(id(node))
        return value

    def _scalar(self, node: yaml.ScalarNode, mark: Mark) -> Any:
        try:
            return yaml12.scalar(node)
        except ValueError as error:
            self.problems.add("bad-number", str(error), mark, fix="put it in quotes if it is text")
            return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = yaml12.mark_of(key_node, self.source)
            key = self._key(key_node, mark)
            if key is None:
                continue
            if key in found:
                first = self.places[(*path, key)].key
                self.problems.add(
                    "duplicate-key", f"the key {key} occurs twice in the same mapping", mark,
                    notes=[("first", first)], fix=f"remove or rename one of the two: {key}",
                )  # fmt: skip
                continue
            found[key] = self.value(value_node, (*path, key), mark)
        return found

    def _key(self, node: yaml.Node, mark: Mark) -> str | None:
        while isinstance(node, yaml12.Alias):
            node = node.value
        key = self._scalar(node, mark) if isinstance(node, yaml.ScalarNode) else [node.value]
        if isinstance(key, str) and key != "<<":
            return key
        if key == "<<":
            text, fix = "YAML 1.2 has no merge key <<", "repeat the keys, or use `extends:`"
        elif isinstance(node, yaml.ScalarNode):
            text, fix = f"a key must be text, found {describe(key)}", f'"{node.value}":'
        else:
            kind = "mapping" if isinstance(node, yaml.MappingNode) else "list"
            text = f"a key must be text, found a {kind}"
            fix = "write one word before the colon; put text that starts with { or [ in quotes"
        self.problems.add("bad-key", text, mark, fix=fix)
        return None
