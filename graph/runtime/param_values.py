"""Values of params as JSON and back, exactly: recordings and snapshots hold them.

Pipeline files write a third of a second as ``333.333ms``, near enough for people; a replay must
have the third.
"""

from __future__ import annotations

import re
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

_FRACTION = "$fraction"
_WHOLE_PARTS = re.compile(r"-?[0-9]{1,400}/[0-9]{1,400}", re.ASCII)


def to_json(value: Any) -> Any:
    """What :mod:`json` can write.

    Raises:
        TypeError: for types that no param has.
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
    raise TypeError(f"a param cannot be a {type(value).__name__}: it has no form in JSON")


def from_json(value: Any) -> Any:
    """What :func:`to_json` was given, as far as a params model needs it.

    Raises:
        ValueError: if a fraction is none.
    """
    if isinstance(value, list):
        return [from_json(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {_FRACTION}:
        return {key: from_json(entry) for key, entry in value.items()}
    text = value[_FRACTION]
    if not isinstance(text, str) or not _WHOLE_PARTS.fullmatch(text) or text.endswith("/0"):
        raise ValueError(f"{text!r:.40} is no fraction")
    return Fraction(text)
