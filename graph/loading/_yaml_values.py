"""Converts YAML nodes to plain values and records the place of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ..errors import Mark, Problems
from . import _yaml12 as yaml12
from ._quoting import quoted_yaml
from .source_map import KeyPath, Place
from .values import describe

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\xa0\\u2028\\u2029]")
_ESCAPE = re.compile(r"\\(?:([0abtnvfreN_LP]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})|.)")


def _gives_control(escape: str) -> bool:
    """Whether an escape, without its backslash, stands for a control character."""
    if len(escape) > 1:
        return bool(_CONTROL.match(chr(int(escape[1:], 16))))
    return bool(escape)


@dataclass(slots=True)
class TreeReader:
    """One pass over a tree; places are collected in ``places``, mistakes in ``problems``.

    Raises:
        PipelineError: from :meth:`value`, if aliases expand too far.
    """

    text: str
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
        if isinstance(node, yaml.ScalarNode) and node.style is None:
            self.places[path] = replace(self.places[path], typed=node.value)
        if isinstance(node, yaml.ScalarNode):
            if path[-1:] != ("description",):
                self._check_escapes(node, mark)
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
            known = "bad-text" if "surrogate" in str(error) else "bad-number"
            fix = "put it in quotes if it is text"
            if known == "bad-text":
                fix = "write the character itself, or both halves as \\ud83d\\ude00"
            self.problems.add(known, str(error), mark, fix=fix)
            return None

    def _check_escapes(self, node: yaml.ScalarNode, mark: Mark) -> None:
        r"""Refuses ``"C:\new"``, which holds a line break: no value needs control characters."""
        if node.style != '"' or not _CONTROL.search(node.value):
            return
        raw = self.text[node.start_mark.index + 1 : node.end_mark.index - 1]
        used = [found[0] for found in _ESCAPE.finditer(raw) if _gives_control(found[1] or "")]
        if used:
            text = (
                f"in double quotes, {used[0]} is an escape sequence for a control character; "
                "in single quotes, a backslash is an ordinary character"
            )
            self.problems.add("yaml-escape", text, mark, fix=quoted_yaml(raw))

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
