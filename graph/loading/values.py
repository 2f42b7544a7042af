"""Plain values of a pipeline file: conversion from Python, and text for messages."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import yaml

from ..errors import Mark, PipelineError, Problem
from ._quoting import override_fix, quoted_yaml, text_override_fix
from ._yaml12 import MAX_DEPTH, too_deep
from .source_map import KeyPath


def to_plain(value: Any, mark: Mark, path: KeyPath = ()) -> Any:
    """Converts Python objects to new dicts, lists and scalars, as a file would contain.

    Raises:
        PipelineError: if a key is not text, or the nesting is too deep.
    """
    if len(path) > MAX_DEPTH:
        raise too_deep(mark)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                text = f"a key must be text, found {describe(key)}"
                raise PipelineError(Problem("bad-key", text, mark, fix=repr(str(key))))
            if not is_text(key):
                text = (
                    f"the key {describe(key)} holds half of a surrogate pair, which is no character"
                )
                raise PipelineError(Problem("bad-key", text, mark, fix="write the key in UTF-8"))
        return {str(key): to_plain(item, mark, (*path, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item, mark, (*path, i)) for i, item in enumerate(value)]
    return _plain_scalar(value)


def is_text(text: str) -> bool:
    """Whether all of a text is characters: JSON, Python and command lines can hold less."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def paths_in(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """The paths of a plain value and of everything inside it."""
    entries: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    return [path, *(at for key, item in entries for at in paths_in(item, (*path, key)))]


def _plain_scalar(value: Any) -> Any:
    """Converts numbers of NumPy and paths; other objects are left for validation to refuse."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (bool, Fraction)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def flow_yaml(value: Any) -> str:
    """A plain value as one line of YAML; a long one becomes ``...``."""
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    except yaml.YAMLError:  # an object from Python that is not plain
        return "..."
    text = text.removesuffix("\n").removesuffix("...").strip()
    return text if len(text) <= 80 else "..."


def assignment(path: str, shown: str, mark: Mark | None) -> str:
    """The fix that sets a value: a line of the file, or ``--set`` if ``mark`` is one."""
    if mark is None or not mark.source.startswith("--set "):
        return f"{path}: {shown}"
    return override_fix(f"--set {path}", shown)


def text_assignment(path: str, text: str, mark: Mark | None) -> str:
    """As :func:`assignment`, for text that YAML would read as something else without quotes."""
    if mark is None or not mark.source.startswith("--set "):
        return f"{path}: {quoted_yaml(text)}"
    return text_override_fix(f"--set {path}", text)


def describe(value: Any) -> str:
    """A value as messages show it: ``'text'``, ``5``, ``null``, ``a mapping``."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
