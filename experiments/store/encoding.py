"""Results as bytes: safetensors with the arrays, and the JSON values in one entry of its metadata.

The same result gives the same bytes on every machine. safetensors orders arrays by type and name;
it keeps no order of metadata, so there is one entry only, with sorted keys.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import numpy as np
from safetensors.numpy import load, save

from ..task import Result

_LENGTH = 8
"""Bytes before the header, little-endian: its length."""


def encode(result: Result) -> bytes:
    """The bytes of a result.

    Raises:
        TypeError: if ``about`` holds what JSON does not know.
        ValueError: if ``about`` holds NaN or infinity.
        SafetensorError: if an array has a type that safetensors does not know, such as text.
    """
    about = json.dumps(dict(result.about), sort_keys=True, allow_nan=False, separators=(",", ":"))
    # Of an array that is not contiguous, safetensors would write other numbers.
    arrays = {name: np.asarray(array, order="C") for name, array in result.arrays.items()}
    return save(arrays, metadata={"about": about})


def decode(data: bytes, only: Collection[str] | None = None) -> Result:
    """The result of its bytes.

    Args:
        data: what :func:`encode` gave.
        only: names of the arrays that are wanted; None for all.
    """
    arrays = load(data)
    length = int.from_bytes(data[:_LENGTH], "little")
    header = json.loads(data[_LENGTH : _LENGTH + length])
    about = json.loads(header["__metadata__"]["about"])
    wanted = sorted(arrays) if only is None else sorted(set(only) & arrays.keys())
    return Result({name: arrays[name] for name in wanted}, about)
