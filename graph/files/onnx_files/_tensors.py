"""Tensors of an ONNX file: their headers, checked against the bytes that they have."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..file_errors import FormatError, damaged
from ._wire_format import BYTES, FIXED32, FIXED64, VARINT, Field, WireReader, signed

DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    8: "string", 9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8e4m3fn", 18: "float8e4m3fnuz",
    19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1",
    24: "float8e8m0", 25: "uint2", 26: "int2",
}  # fmt: skip
"""Names of ONNX's element types by number (``TensorProto.DataType``)."""
FLOATS = frozenset({"float32", "float16", "float64", "bfloat16"})
_BITS = {
    "uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "int32": 32, "int64": 64, "bool": 8,
    "float16": 16, "float32": 32, "float64": 64, "uint32": 32, "uint64": 64, "complex64": 64,
    "complex128": 128, "bfloat16": 16, "float8e4m3fn": 8, "float8e4m3fnuz": 8, "float8e5m2": 8,
    "float8e5m2fnuz": 8, "uint4": 4, "int4": 4, "float4e2m1": 4, "float8e8m0": 8, "uint2": 2,
    "int2": 2,
}  # fmt: skip
_DIMS, _DTYPE, _STRINGS, _INT32S, _INT64S, _NAME, _RAW, _EXTERNAL, _LOCATION = (
    *(1, 2, 6, 5, 7, 8, 9, 13, 14),
)
_TYPED = (4, _INT32S, _INT64S, 10, 11)
"""``float_data``, ``int32_data``, ``int64_data``, ``double_data``, ``uint64_data``."""
_MOST_DIMS = 32
_MOST_SMALL = 16
"""Values of a small tensor of integers: it may be a shape or a number of rounds."""
_MOST_PER_BYTE = 4
"""Values that a byte holds in the narrowest type."""
_ELSEWHERE = (
    "get the model as one file, or join the parts where it came from:\n"
    "python -c \"import onnx; onnx.save(onnx.load('MODEL.onnx'), 'ONE.onnx')\""
)


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """The header of a tensor.

    Attributes:
        name: in the graph; empty for one that is the value of an attribute.
        dtype: name of its element type.
        dims: its shape.
        integers: the values of a small tensor of int64; None for any other.
    """

    name: str
    dtype: str
    dims: tuple[int, ...]
    integers: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        """Number of its values."""
        return math.prod(self.dims)


class _Found:
    """What the fields of a tensor said."""

    def __init__(self) -> None:
        self.name, self.dtype = "", 0
        self.dims: list[int] = []
        self.raw: Field | None = None
        self.typed: list[Field] = []
        self.strings = 0
        self.external: list[Field] = []
        self.elsewhere = False


def read_tensor(reader: WireReader, start: int, end: int) -> StoredTensor:
    """Reads the header of a tensor.

    Raises:
        FormatError: if its values are in another file, are fewer than it declares, or it is
            malformed.
    """
    found = _Found()
    for field in reader.fields(start, end):
        _take(reader, found, field)
    if found.external or found.elsewhere:
        raise _external(reader, found)
    if any(size < 0 for size in found.dims) or len(found.dims) > _MOST_DIMS:
        raise damaged(f"its tensor {found.name[:80]!r} has the shape {found.dims[:8]}")
    dtype = DTYPES.get(found.dtype)
    if dtype is None:
        raise damaged(f"its tensor {found.name[:80]!r} has element type {found.dtype}")
    _check_size(found, dtype)
    tensor = StoredTensor(found.name, dtype, tuple(found.dims))
    if dtype != "int64" or tensor.count > _MOST_SMALL:
        return tensor
    return StoredTensor(found.name, dtype, tensor.dims, _integers(reader, found))


def _take(reader: WireReader, found: _Found, field: Field) -> None:
    number, wire = field.number, field.wire
    if number == _DIMS and wire in (VARINT, BYTES):
        found.dims += reader.integers(field, _MOST_DIMS + 1)
    elif number == _DTYPE and wire == VARINT:
        found.dtype = field.value
    elif number == _NAME and wire == BYTES:
        found.name = reader.name(field)
    elif number == _RAW and wire == BYTES:
        found.raw = field
    elif number in _TYPED:
        found.typed.append(field)
    elif number == _STRINGS:
        found.strings += 1
    elif number == _EXTERNAL:
        found.external.append(field)
    elif number == _LOCATION and wire == VARINT:
        found.elsewhere = bool(field.value)


def _external(reader: WireReader, found: _Found) -> FormatError:
    """The error for weights in another file, which a stranger's file must not name."""
    pairs: list[str] = []
    for entry in found.external[:8]:
        texts = [reader.text(f) for f in reader.fields(entry.start, entry.end) if f.wire == BYTES]
        if len(texts) == 2 and texts[0] == "location":
            pairs.append(texts[1])
    where = f", {pairs[0][:120]!r}" if pairs else ""
    text = f"the values of its tensor {found.name[:80]!r} are in another file{where}"
    return FormatError(
        "external-data", f"{text}, and a model must not say which files are read", _ELSEWHERE
    )


def _check_size(found: _Found, dtype: str) -> None:
    count = math.prod(found.dims)
    bits = _BITS.get(dtype)
    if found.raw is not None and bits is not None:
        held = found.raw.end - found.raw.start
        needed = -(-count * bits // 8)
        if held != needed:
            raise _short(found.name, count, dtype, f"{held} bytes instead of {needed}")
        return
    if dtype == "string":
        if found.strings < count:
            raise _short(found.name, count, dtype, f"{found.strings} of them")
        return
    held = sum(
        {FIXED32: 1, FIXED64: 1, VARINT: 1}.get(field.wire, field.end - field.start)
        for field in found.typed
    )
    if count > held * _MOST_PER_BYTE:
        raise _short(found.name, count, dtype, f"{held} bytes for them")


def _short(name: str, count: int, dtype: str, holds: str) -> FormatError:
    return FormatError(
        "tensor-too-large",
        f"its tensor {name[:80]!r} declares {count} values of {dtype}, and the file holds {holds}",
        "get the file again from where its author publishes it",
    )


def _integers(reader: WireReader, found: _Found) -> tuple[int, ...] | None:
    count = math.prod(found.dims)
    if found.raw is not None:
        raw = reader.read(found.raw.start, found.raw.end)
        return tuple(signed(int.from_bytes(raw[8 * i : 8 * i + 8], "little")) for i in range(count))
    values = [
        value
        for field in found.typed
        if field.number == _INT64S
        for value in reader.integers(field, _MOST_SMALL)
    ]
    return tuple(values) if len(values) == count else None
