"""Param values to JSON and back, without loss, for recordings and snapshots.

Pipeline files round a third of a second to ``333.333ms``; a replay needs the exact fraction.
"""

from __future__ import annotations

import re
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

_FRACTION = "$fraction"
_FRACTION_PATTERN = re.compile(r"-?[0-9]{1,400}/[0-9]{1,400}", re.ASCII)


def to_json(value: Any) -> Any:
    """A param value as an object that :mod:`json` can write.

    Raises:
        TypeError: if its type has no JSON form.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Fraction):
        return {_FRACTION: f"{value.numerator}/{value.denominator}"}
    if isinstance(value, BaseModel):
        return {name: to_json(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(key): to_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(entry) for entry in value]
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"a param cannot be a {type(value).__name__}: it has no JSON form")


def from_json(value: Any) -> Any:
    """The inverse of :func:`to_json`, up to conversions that a params model does itself.

    Raises:
        ValueError: if a fraction is malformed.
    """
    if isinstance(value, list):
        return [from_json(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {_FRACTION}:
        return {key: from_json(entry) for key, entry in value.items()}
    text = value[_FRACTION]
    if not isinstance(text, str) or not _FRACTION_PATTERN.fullmatch(text) or text.endswith("/0"):
        raise ValueError(f"{text!r:.40} is not a fraction")
    return Fraction(text)
