"""Reads the weights of a CTranslate2 model from its file ``model.bin``.

The layout, all numbers little-endian: version (uint32), name of the model (string), revision
(uint32), number of variables (uint32); for each variable its name (string), number of axes (uint8),
their sizes (uint32 each), type (uint8), bytes (uint32) and values. A string is its length (uint16)
and its bytes with a zero at the end. Aliases follow, which no encoder has.

Source: ``ModelSpec._serialize`` of the package ctranslate2 4.8, MIT.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

_VERSION = 6
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_variables(path: Path, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
    """The variables of a file whose names are wanted, as stored.

    Raises:
        ValueError: if it is no such file, of another version, cut off, or of an unknown type.
    """
    with path.open("rb") as file:
        if _number(file, "I") != _VERSION:
            raise ValueError(f"{path}: not a CTranslate2 model of version {_VERSION}")
        _text(file)  # of the model
        _number(file, "I")  # its revision
        found = {}
        for _ in range(_number(file, "I")):
            name = _text(file)
            shape = tuple(_number(file, "I") for _ in range(_number(file, "B")))
            kind, size = _number(file, "B"), _number(file, "I")
            if not wanted(name):
                file.seek(size, 1)
                continue
            if kind not in _TYPES:
                raise ValueError(f"{path}: {name} is of the unknown type {kind}")
            found[name] = np.frombuffer(_exactly(file, size), _TYPES[kind]).reshape(shape)
        return found


def _text(file: BinaryIO) -> str:
    return _exactly(file, _number(file, "H")).rstrip(b"\0").decode()


def _number(file: BinaryIO, kind: str) -> int:
    return struct.unpack(f"<{kind}", _exactly(file, struct.calcsize(kind)))[0]


def _exactly(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    if len(found) < count:
        raise ValueError(f"{file.name}: cut off")
    return found
