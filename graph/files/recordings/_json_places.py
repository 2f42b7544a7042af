"""Where in a line of JSON a value stands, for messages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def column_of(line: str, path: Sequence[str | int]) -> int:
    """The column of a value, from 1.

    Args:
        line: valid JSON.
        path: keys and indexes that lead to the value. Where one is missing, or is a part of what
            is no container, the place of the innermost value found is returned.
    """
    at = _skip(line, 0)
    for part in path:
        found = _key(line, at, part) if isinstance(part, str) else _entry(line, at, part)
        if found is None:
            break
        at = found
    return at + 1


def _key(line: str, at: int, key: str) -> int | None:
    """The place of the value of the last such key, which is the one that counts."""
    if line[at] != "{":
        return None
    found = None
    at = _skip(line, at + 1)
    while line[at] != "}":
        name, at = _DECODER.raw_decode(line, at)
        at = _skip(line, _skip(line, at) + 1)
        if name == key:
            found = at
        at = _next(line, at)
    return found


def _entry(line: str, at: int, index: int) -> int | None:
    if line[at] != "[":
        return None
    at = _skip(line, at + 1)
    for _ in range(index):
        if line[at] == "]":
            return None
        at = _next(line, at)
    return None if line[at] == "]" else at


def _next(line: str, at: int) -> int:
    """The place after a value and its comma."""
    _, at = _DECODER.raw_decode(line, at)
    at = _skip(line, at)
    return _skip(line, at + 1) if line[at] == "," else at


def _skip(line: str, at: int) -> int:
    found = _SPACE.match(line, at)
    assert found is not None
    return found.end()
