"""YAML text to a tree of nodes with marks, by the YAML 1.2 core schema; no objects are created.

PyYAML resolves plain scalars by YAML 1.1, where ``no`` is false, ``1:30`` is 90 and ``1e3`` is
text. Here the rules are those of YAML 1.2.2, section 10.3.2 (core schema). Tags are refused:
pipeline files come from strangers, and a tag is how YAML asks for code to run.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from ..errors import Mark, PipelineError, Problem, Problems

MAX_NODES = 20_000
"""Values in a file, aliases expanded. A large pipeline has a few hundred."""

MAX_DEPTH = 40
"""Nested mappings and lists. A pipeline file needs five."""

_CORE = "tag:yaml.org,2002:"
_RULES = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)
_WORDS = (
    ("character '\\t'", "a tab cannot indent", "indent with spaces"),
    (
        "mapping values are not allowed",
        "a second `: ` on this line, or a line that is indented too far",
        "put text that contains `: ` in quotes, or correct the indentation",
    ),
    (
        "could not find expected ':'",
        "a key without a value",
        "write `key: value`, with a space after the colon",
    ),
    (
        "expected <block end>",
        "the indentation of this line does not fit the lines above",
        "indent all keys of one mapping equally",
    ),
    (
        "found unexpected end of stream",
        "the file ends inside a quoted text",
        "close the quote",
    ),
    ("undefined alias", "", "put text that starts with `*` in quotes"),
    ("single document", "a second document starts here", "remove the second `---`"),
    ("'<stream end>'", "the text ends too early", "close the bracket that was opened"),
    ("but got '{'", "", 'put text such as "${name}" in quotes inside { } and [ ]'),
    ("expected ','", "", "separate entries by commas, and close the bracket"),
    ("'%'", "", "put text that starts with % in quotes"),
)
"""Part of PyYAML's message, its meaning for the user (empty: PyYAML's own text), and a fix."""

_QUOTE = "put text with special characters in quotes"


class Alias(yaml.Node):
    """An alias ``*name`` at the place where it is written; ``value`` is the node it refers to."""

    id = "alias"


class _CoreLoader(yaml.SafeLoader):
    """PyYAML's scanner, parser and composer with the core schema's rules and limits."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, text: str, source: str, problems: Problems) -> None:
        super().__init__(text)
        self.source = source
        self.problems = problems
        self.depth = 0
        self.count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        mark = mark_of(event, self.source)
        self.count += 1
        if self.count > MAX_NODES:
            raise too_many(mark)
        if isinstance(event, yaml.AliasEvent):
            return Alias("", super().compose_node(parent, index), event.start_mark, event.end_mark)
        if (tag := getattr(event, "tag", None)) is not None:
            shown = tag.replace(_CORE, "!!")
            self.problems.add(
                "yaml-tag", f"the tag {shown} is not allowed: files contain only plain values",
                mark,
                fix=f"remove {shown}",
            )  # fmt: skip
        if self.depth >= MAX_DEPTH:
            raise too_deep(mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _name, _pattern, _first in _RULES:
    _CoreLoader.add_implicit_resolver(f"{_CORE}{_name}", re.compile(f"(?:{_pattern})\\Z"), _first)


def mark_of(thing: Any, source: str) -> Mark:
    """The mark of a YAML node or event, counted from 1."""
    return Mark(source, thing.start_mark.line + 1, thing.start_mark.column + 1)


def too_many(mark: Mark) -> PipelineError:
    """The error for a file with more values than a pipeline can have."""
    text = f"more than {MAX_NODES} values, aliases expanded: this is not a pipeline file"
    return PipelineError(Problem("yaml-too-large", text, mark, fix="give a pipeline file"))


def too_deep(mark: Mark) -> PipelineError:
    """The error for a file that nests deeper than a pipeline can."""
    text = f"nested deeper than {MAX_DEPTH} levels: this is not a pipeline file"
    return PipelineError(Problem("yaml-too-deep", text, mark, fix="give a pipeline file"))


def compose(text: str, source: str, problems: Problems) -> yaml.Node | None:
    """The tree of the single document in ``text``; None if it is empty.

    Explicit tags are reported in ``problems``.

    Raises:
        PipelineError: on a syntax error, or if the text holds too many values or nests too deep.
    """
    try:
        loader = _CoreLoader(text, source, problems)
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = Mark(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
        character = error.character if isinstance(error.character, int) else ord(error.character)
        message = f"the character U+{character:04X} is not allowed in YAML"
        raise PipelineError(
            Problem("yaml-syntax", message, mark, fix="remove it, or save the file as plain text")
        ) from None
    except yaml.MarkedYAMLError as error:
        raise PipelineError(_syntax_problem(error, source)) from None


def _syntax_problem(error: yaml.MarkedYAMLError, source: str) -> Problem:
    place = error.problem_mark or error.context_mark
    mark = Mark(source, place.line + 1, place.column + 1) if place else Mark(source)
    said = error.problem or error.context or "the text cannot be read"
    known = (words for words in _WORDS if words[0] in f"{said} {error.context}")
    _, text, fix = next(known, ("", "", _QUOTE))
    notes = ()
    if error.context_mark and error.problem_mark:
        begun = Mark(source, error.context_mark.line + 1, error.context_mark.column + 1)
        notes = ((error.context or "begun", begun),) if begun != mark else ()
    return Problem("yaml-syntax", f"not valid YAML: {text or said}", mark, notes, fix)


def scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """The plain value of a scalar.

    Raises:
        ValueError: if a number is too long or too large.
    """
    text = node.value
    match node.tag.removeprefix(_CORE):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            if len(text) > 100:
                raise ValueError(f"a number of {len(text)} digits is too long")
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        case "float":
            number = float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
            if math.isinf(number) and "inf" not in text.lower():
                raise ValueError(f"{text} is too large a number")
            return number
    return text
