"""Wording of errors: what pydantic expected, in terms of pipeline files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "model_attributes": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "path": "a file name",
}
_OTHERS = {
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
    "none_required": "null",
    "string_pattern_mismatch": "text of another form",
    "string_too_short": "text that is not empty",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_RANGES = {*_BOUNDS, "too_short", "too_long", "string_too_short", "finite_number"}


def expected_of(error: Any, show: Callable[[Any], str] = str) -> str:
    """What an error record of pydantic expects: ``a whole number``, ``at least 1``.

    ``show`` formats a bound in the field's unit.
    """
    kind, context = error["type"], error.get("ctx", {})
    stem = kind.removesuffix("_type").removesuffix("_parsing")
    if stem != kind and stem in _TYPES:
        return _TYPES[stem]
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{words} {show(context[name])}"
    if kind in ("too_short", "too_long"):
        side = "at least" if kind == "too_short" else "at most"
        count = context["min_length" if kind == "too_short" else "max_length"]
        return f"{side} {count} {'entry' if count == 1 else 'entries'}"
    if kind in ("literal_error", "enum"):
        return context["expected"].replace("'", "")
    return _OTHERS.get(kind) or _own_words(error["msg"])


def code_of(kind: str) -> str:
    """The problem code for a kind of pydantic error."""
    if kind in _RANGES:
        return "out-of-range"
    return "wrong-type" if kind.endswith(("_type", "_parsing")) else "wrong-value"


def _own_words(message: str) -> str:
    """A message of our own validators, or one of pydantic's without an entry above."""
    text = message[:1].lower() + message[1:]
    return text.removeprefix("expected ").removeprefix("input should be ")
