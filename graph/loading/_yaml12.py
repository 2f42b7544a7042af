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
from yaml.scanner import ScannerError

from ..errors import Mark, PipelineError, Problem, Problems
from ._quoting import quoted_yaml
from ._syntax_errors import Edit, syntax_mistake, unmoved

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
_MOST_MISTAKES = 8
"""Syntax errors that are looked for; each is found after the one before was corrected."""

_TRIED = 1 << 16
"""Longest text in which corrections are tried: each is one more run of the parser."""


class Alias(yaml.Node):
    """An alias ``*name`` at the place where it is written; ``value`` is the node it refers to."""

    id = "alias"


class _CoreLoader(yaml.SafeLoader):
    """PyYAML's scanner, parser and composer with the core schema's rules and limits."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, text: str, source: str, problems: Problems, quote: bool = True) -> None:
        super().__init__(text)
        self.quote = quote
        self.source = source
        self.problems = problems
        self.depth = 0
        self.count = 0

    def get_single_node(self) -> yaml.Node | None:
        try:
            return super().get_single_node()
        except (ValueError, OverflowError):
            # PyYAML passes numbers on unchecked: \\UFFFFFFFF, and %YAML with 5000 digits.
            place = self.get_mark()
            line = self.buffer[: self.pointer].rpartition("\n")[2] if self.buffer else ""
            said = "expected escape sequence of a character"
            if line.startswith("%"):
                said = "incompatible YAML document"
            raise ScannerError(None, None, said, place) from None

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
            text = f"the tag {shown} is not allowed: files contain only plain values"
            alone = isinstance(event, yaml.ScalarEvent) and not event.value
            fix = f"{quoted_yaml(shown)}  (as text)" if alone else f"remove {shown}"
            if not self.quote:
                text, fix = "tags are not allowed: files contain only plain values", "remove it"
            self.problems.add("yaml-tag", text, mark, fix=fix)
        if getattr(event, "anchor", None) is not None and _is_nothing(event):
            text = "& begins an anchor, a name for a value, and no value follows"
            fix = f"{quoted_yaml(f'&{event.anchor}')}  (as text)" if self.quote else "remove it"
            self.problems.add("yaml-anchor", text, mark, fix=fix)
        if self.depth >= MAX_DEPTH:
            raise too_deep(mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _is_nothing(event: Any) -> bool:
    """Whether an event is a value that was not written."""
    return isinstance(event, yaml.ScalarEvent) and not event.value and event.style is None


for _name, _pattern, _first in _RULES:
    _CoreLoader.add_implicit_resolver(f"{_CORE}{_name}", re.compile(f"(?:{_pattern})\\Z"), _first)


def mark_of(thing: Any, source: str) -> Mark:
    """The mark of a YAML node or event, counted from 1."""
    return Mark(source, thing.start_mark.line + 1, thing.start_mark.column + 1)


def too_many(mark: Mark) -> PipelineError:
    """The error for a file with more values than a pipeline can have."""
    text = f"more than {MAX_NODES} values, aliases expanded: this is no pipeline or experiment"
    return PipelineError(Problem("yaml-too-large", text, mark, fix="give a pipeline file"))


def too_deep(mark: Mark) -> PipelineError:
    """The error for a file that nests deeper than a pipeline can."""
    text = f"nested deeper than {MAX_DEPTH} levels: this is no pipeline or experiment"
    return PipelineError(Problem("yaml-too-deep", text, mark, fix="give a pipeline file"))


def compose(
    text: str, source: str, problems: Problems, *, quote: bool = True, lone: bool = False
) -> yaml.Node | None:
    """The tree of the single document in ``text``; None if it is empty.

    Args:
        text: the whole text.
        source: its name in messages.
        problems: gets the explicit tags.
        quote: whether messages may quote the text.
        lone: whether the text is one value, and not a file.

    Raises:
        PipelineError: on a syntax error, or if the text holds too many values or nests too deep.
    """
    try:
        return _CoreLoader(text, source, problems, quote).get_single_node()
    except yaml.reader.ReaderError as error:
        raise PipelineError(_bad_character(error, text, source)) from None
    except yaml.MarkedYAMLError as error:
        raise PipelineError(_mistakes(error, text, source, quote, lone)) from None


def _bad_character(error: yaml.reader.ReaderError, text: str, source: str) -> Problem:
    before = text[: error.position]
    mark = Mark(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
    character = error.character if isinstance(error.character, int) else ord(error.character)
    message = f"the character U+{character:04X} is not allowed in YAML"
    fix = "remove it, or save the file as plain text"
    if character == 0 and text.count("\0") > len(text) // 4:
        message, fix = "this is UTF-16 or UTF-32 text, expected UTF-8", "save the file as UTF-8"
    elif 0xD800 <= character < 0xE000:
        message += ": it is half of a surrogate pair"
    return Problem("yaml-syntax", message, mark, fix=fix)


def _mistakes(
    error: yaml.MarkedYAMLError, text: str, source: str, quote: bool, lone: bool
) -> list[Problem]:
    """The first syntax error and those that show when it is corrected; of a lone value, one."""
    found: list[Problem] = []
    edits: list[Edit] = []
    left: yaml.MarkedYAMLError | None = error
    locate = _first_error if len(text) <= _TRIED else None
    while left is not None and len(found) < (1 if lone else _MOST_MISTAKES):
        mistake = syntax_mistake(left, text, source, locate, quote=quote, lone=lone)
        found.append(unmoved(mistake.problem, text, edits))
        if mistake.edit is None:
            break
        text = mistake.edit.apply(text)
        edits.append(mistake.edit)
        left = _first_error(text)
    return found


def corrected(text: str) -> str | None:
    """A lone value with all its syntax errors corrected; None if that is not possible."""
    for _ in range(_MOST_MISTAKES):
        if len(text) > _TRIED or (left := _first_error(text)) is None:
            break
        edit = syntax_mistake(left, text, "", _first_error, lone=True).edit
        if edit is None:
            return None
        text = edit.apply(text)
    return None if len(text) > _TRIED or _first_error(text) else text


def _first_error(text: str) -> yaml.MarkedYAMLError | None:
    try:
        _CoreLoader(text, "", Problems()).get_single_node()
    except yaml.MarkedYAMLError as error:
        return error
    except (PipelineError, yaml.reader.ReaderError):
        return None  # of another kind
    return None


def _joined_surrogates(text: str) -> str:
    r"""JSON writes a character beyond U+FFFF as a pair, ``\ud83d\ude00``; YAML's \U is one escape.

    Raises:
        ValueError: if half of a pair is missing.
    """
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError("the escape \\u gives half of a surrogate pair, no character") from None


def scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """The plain value of a scalar.

    Raises:
        ValueError: if a number is too long or too large.
    """
    text = _joined_surrogates(node.value)
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
