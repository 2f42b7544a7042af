"""Templates that make a text of a file's name: ``{stem.split('-')[0]}``, ``{parent.name}``.

They look like Python and are not run as Python: an expression is parsed, and only names, methods of
text and indices of the short list here have a meaning. An experiment may be a stranger's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

LONGEST = 300
"""Characters of a template."""
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_METHODS = (
    "casefold", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace",
    "rpartition", "rsplit", "rstrip", "split", "strip", "title", "upper",
)  # fmt: skip
_OF_PATHS = ("name", "parent", "parts", "stem", "suffix")
FACTS = ("stem", "name", "suffix", "parent", "parts")
"""What is known of every file."""

Facts = Mapping[str, Any]
_Step = Callable[[Facts], Any]


def facts_of(path: PurePath, columns: Mapping[str, str]) -> dict[str, Any]:
    """What a template can use: parts of the path, and columns of a table by name."""
    parts = list(path.parts)
    own = {"stem": path.stem, "name": path.name, "suffix": path.suffix}
    return {**columns, **own, "parent": path.parent, "parts": parts}


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template.

    Attributes:
        text: as written.
    """

    text: str
    _pieces: tuple[str | _Step, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Parses a template.

        Raises:
            ValueError: if it is no template; the message says where.
        """
        if len(text) > LONGEST:
            raise ValueError(f"a template has at most {LONGEST} characters, found {len(text)}")
        pieces: list[str | _Step] = []
        end = 0
        for found in _PART.finditer(text):
            pieces.append(text[end : found.start()])
            end = found.end()
            if found[0] in ("{{", "}}"):
                pieces.append(found[0][0])
            elif found[1] is None:
                raise ValueError(f"{found[0]} has no partner; write {found[0] * 2} for a brace")
            else:
                pieces.append(_expression(found[1]))
        return cls(text, (*pieces, text[end:]))

    def fill(self, facts: Facts) -> str:
        """The text for a file.

        Raises:
            ValueError: if the file has no such part, or the template gives no text.
        """
        made = "".join(
            piece if isinstance(piece, str) else _as_text(piece(facts), self.text)
            for piece in self._pieces
        )
        if not made.strip():
            raise ValueError(f"{self.text} gives no text")
        return made


def _as_text(value: Any, text: str) -> str:
    if isinstance(value, (str, PurePath)):
        return str(value)
    raise ValueError(f"{text} gives a list, not a text: add an index such as [0]")


def _expression(text: str) -> _Step:
    try:
        return _step(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"{{{text}}} is no expression such as stem.split('-')[0]") from None


def _step(node: ast.expr) -> _Step:
    match node:
        case ast.Name(id=name):
            return _fact(name)
        case ast.Attribute(value=inner, attr=name) if name in _OF_PATHS:
            return _of_path(_step(inner), name)
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args, keywords=[]):
            if name not in _METHODS:
                listed = ", ".join(_METHODS)
                raise ValueError(f"a template has no method {name}; it has: {listed}")
            return _method(_step(inner), name, [_constant(argument) for argument in args])
        case ast.Subscript(value=inner, slice=index):
            return _item(_step(inner), _index(index))
    shown = ast.unparse(node)
    raise ValueError(f"a template cannot hold {shown:.60}: write it as stem.split('-')[0]")


def _fact(name: str) -> _Step:
    def look_up(facts: Facts) -> Any:
        if name not in facts:
            raise ValueError(f"there is no {name}; there are: {', '.join(sorted(facts))}")
        return facts[name]

    return look_up


def _of_path(inner: _Step, name: str) -> _Step:
    def part(facts: Facts) -> Any:
        path = inner(facts)
        if not isinstance(path, PurePath):
            raise ValueError(f"only parent has a {name}")
        value = getattr(path, name)
        return list(value) if name == "parts" else value

    return part


def _method(inner: _Step, name: str, arguments: list[str | int]) -> _Step:
    def call(facts: Facts) -> Any:
        value = inner(facts)
        if not isinstance(value, str):
            raise ValueError(f"only a text has {name}()")
        try:
            made = getattr(value, name)(*arguments)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None
        return made if isinstance(made, str) else list(made)

    return call


def _item(inner: _Step, index: int | slice) -> _Step:
    def pick(facts: Facts) -> Any:
        value = inner(facts)
        if isinstance(value, PurePath):
            raise ValueError("parent has no parts by number; use parts")
        try:
            return value[index]
        except IndexError:
            found = f"{value!r:.80} has {len(value)} parts"
            raise ValueError(f"there is no [{index}]: {found}") from None

    return pick


def _constant(node: ast.expr) -> str | int:
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
    raise ValueError(f"expected a text or a whole number, found {ast.unparse(node):.60}")


def _index(node: ast.expr) -> int | slice:
    if isinstance(node, ast.Slice):
        first, last = (None if end is None else _number(end) for end in (node.lower, node.upper))
        if node.step is not None:
            raise ValueError("a template has no steps in slices")
        return slice(first, last)
    return _number(node)


def _number(node: ast.expr) -> int:
    value = _constant(node)
    if not isinstance(value, int):
        raise ValueError(f"expected a whole number, found {value!r:.60}")
    return value
