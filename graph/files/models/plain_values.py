"""Plain values: numbers, text, lists and dicts, whatever a library has wrapped them in.

Scripts that edit checkpoints leave NumPy's scalars and arrays, tensors of one value, namespaces and
settings objects where trainers write a number or a dict. Nothing here imports or calls what a file
names: placeholders are taken apart by their known layout, or stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ._archive import Archive
from ._pickle_allowlist import Inert
from ._tensor_headers import TensorHeader

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"] | Inert
"""What is left after :func:`plain_value`; an ``Inert`` is a value of no known layout."""

_MOST_VALUES = 4096
"""Limit of the values of an array that is a setting and not a weight."""
_MOST_TENSOR_VALUES = 64
_MOST_READS = 64
"""Limits of tensors that are settings: each is a read from the file."""
_MOST_PARTS = 20_000
_DEEPEST = 16
_SCALARS = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
_ARRAYS = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_BUFFERS = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")
_NUMBERS = ("builtins.bool", "builtins.float", "builtins.int", "builtins.str")
_CODES = frozenset(
    {"b1", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)), "f2", "f4", "f8"}
)
"""NumPy's codes of the dtypes whose values are numbers."""
_TEXT_VALUES = 1000


def plain_value(archive: Archive, value: object) -> Plain:
    """A value of a file's tree as numbers, text, lists and dicts.

    Args:
        archive: the file, from which tensors of a few values are read.
        value: from ``archive.tree``; shared and self-containing parts are cut off at a limit.

    Raises:
        WeightsError: if the file cannot be read.
    """
    return _Unwrapping(archive).value(value, 0)


class _Unwrapping:
    """One traversal, with a budget: a small file may refer to one part many times."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._left = _MOST_PARTS
        self._reads = _MOST_READS

    def value(self, value: object, depth: int) -> Plain:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return None
        match value:
            case None | bool() | int() | float() | str():
                return value
            case bytes() | bytearray():
                return _text(bytes(value))
            case TensorHeader():
                return self._tensor(value)
            case list() | tuple():
                return [self.value(item, depth + 1) for item in value]
            case dict():
                return self._mapping(value, depth)
            case Inert():
                return self._object(value, depth)
            case _:
                return None

    def _mapping(self, value: Mapping[object, object], depth: int) -> dict[str, Plain]:
        return {str(key): self.value(item, depth + 1) for key, item in value.items()}

    def _tensor(self, header: TensorHeader) -> Plain:
        self._reads -= 1
        if header.numel > _MOST_TENSOR_VALUES or self._reads < 0:
            return None
        return self._archive.read_setting(header).tolist()

    def _object(self, value: Inert, depth: int) -> Plain:
        args, state = value.args, value.state
        if args is None:
            return value
        if value.name in _SCALARS and len(args) == 2:
            return self._scalar(args[0], args[1], depth)
        if value.name in _ARRAYS:
            return self._array(state, depth)
        if value.name in _BUFFERS and len(args) >= 3:
            return self._shaped(args[0], args[1], args[2], args[3:] == ("F",), depth)
        if isinstance(state, dict):
            return self._settings(state, depth)
        # An enumeration member, or a number's class called with the number.
        known = value.name in _NUMBERS or value.name.startswith("fairseq.")
        if known and state is None and len(args) == 1:
            return self.value(args[0], depth + 1)
        return value

    def _settings(self, state: Mapping[object, object], depth: int) -> Plain:
        """The attributes of a namespace; of omegaconf's nodes, what they contain."""
        for key in ("_content", "_val"):
            if key in state:
                return self.value(state[key], depth + 1)
        return self._mapping(state, depth)

    def _scalar(self, dtype: object, data: object, depth: int) -> Plain:
        found = self._shaped(data, dtype, (), False, depth)
        return found if not isinstance(found, list) else None

    def _array(self, state: object, depth: int) -> Plain:
        match state:
            case (_, tuple(shape), dtype, fortran, data):
                return self._shaped(data, dtype, shape, bool(fortran), depth)
            case _:
                return None

    def _shaped(
        self, data: object, dtype: object, shape: object, fortran: bool, depth: int
    ) -> Plain:
        code, order = _dtype(dtype)
        sizes = _sizes(shape)
        if sizes is None:
            return None
        count = math.prod(sizes)
        if code.startswith("O"):
            items = data if isinstance(data, list) else [data]
            found = [self.value(item, depth + 1) for item in items[: count + 1]]
            return (found[0] if not sizes else found) if len(found) == count else None
        if isinstance(data, str):  # Python 2 wrote bytes as text
            data = data.encode("latin-1", "replace")
        if isinstance(data, Inert) and (data.name, data.args) == ("builtins.bytes", ()):
            data = b""  # protocol 2 writes a call for no bytes
        if not isinstance(data, (bytes, bytearray)):
            return None
        if code[:1] in ("U", "S"):
            return _text_scalar(bytes(data), code, order) if not sizes else None
        if code not in _CODES or len(data) != count * int(code[1:]):
            return None
        flat = np.frombuffer(bytes(data), np.dtype(order + code))
        return flat.reshape(sizes, order="F" if fortran else "C").tolist()


def _dtype(value: object) -> tuple[str, str]:
    """The code of a stored ``numpy.dtype``, such as ``i8``, and its byte order, ``<`` or ``>``."""
    if not isinstance(value, Inert) or value.name != "numpy.dtype" or not value.args:
        return "", "<"
    state = value.state
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "<"
    code = value.args[0]
    return (code if isinstance(code, str) else ""), (">" if order == ">" else "<")


def _sizes(shape: object) -> tuple[int, ...] | None:
    if not isinstance(shape, (list, tuple)):
        return None
    sizes = tuple(size for size in shape if type(size) is int and 0 <= size <= _MOST_VALUES)
    whole = len(sizes) == len(shape) and math.prod(sizes) <= _MOST_VALUES
    return sizes if whole else None


def _text_scalar(data: bytes, code: str, order: str) -> str | None:
    if code.startswith("S"):
        return _text(data.rstrip(b"\0"))
    try:
        return data.decode("utf-32-be" if order == ">" else "utf-32-le").rstrip("\0")
    except UnicodeDecodeError:
        return None


def _text(data: bytes) -> str | None:
    try:
        return data[:_TEXT_VALUES].decode("utf-8")
    except UnicodeDecodeError:
        return None
