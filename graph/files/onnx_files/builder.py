"""Writes ONNX files without the package onnx: small networks, and parts that are put into others.

Only what that takes: tensors, operators, inputs and outputs of tensors. ``voicegraph export`` uses
PyTorch's own exporter.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ._graph import Axis
from ._tensors import DTYPES
from ._wire_format import bytes_field, fixed32_field, integer_field, joined

_NUMBERS = {name: number for number, name in DTYPES.items()}
_FLOAT, _INT, _STRING, _TENSOR, _GRAPH, _INTS = 1, 2, 3, 4, 5, 7
_IR_VERSION = 8

AttributeValue = float | int | str | np.ndarray | bytes | Sequence[int]
"""A float, an integer, a string, a tensor, a graph (bytes) or a list of integers."""


def tensor(name: str, values: np.ndarray) -> bytes:
    """A constant (``TensorProto``)."""
    number = _NUMBERS[str(values.dtype)]
    shape = joined(integer_field(1, size) for size in values.shape)
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return joined(
        (shape, integer_field(2, number), bytes_field(8, name), bytes_field(9, little.tobytes()))
    )


def value(name: str, dtype: str, axes: Sequence[Axis] | None) -> bytes:
    """An input or output of a graph (``ValueInfoProto``).

    Args:
        name: of the value.
        dtype: of its elements, such as ``float32``.
        axes: its shape, as sizes, names of sizes that vary, or None for what is not said; None
            states no shape.
    """
    kind = integer_field(1, _NUMBERS[dtype])
    if axes is not None:
        kind += bytes_field(2, joined(bytes_field(1, _axis(axis)) for axis in axes))
    return bytes_field(1, name) + bytes_field(2, bytes_field(1, kind))


def _axis(axis: Axis) -> bytes:
    if axis is None:
        return b""
    return integer_field(1, axis) if isinstance(axis, int) else bytes_field(2, axis)


def operator(
    op: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    attributes: Mapping[str, AttributeValue] | None = None,
    domain: str = "",
) -> bytes:
    """An operator (``NodeProto``)."""
    listed = [*(bytes_field(1, name) for name in inputs), *(bytes_field(2, o) for o in outputs)]
    listed.append(bytes_field(4, op))
    listed += [bytes_field(5, _attribute(*item)) for item in (attributes or {}).items()]
    if domain:
        listed.append(bytes_field(7, domain))
    return joined(listed)


def _attribute(name: str, held: AttributeValue) -> bytes:
    """A constant of an operator (``AttributeProto``)."""
    if isinstance(held, bytes):
        kind, content = _GRAPH, bytes_field(6, held)
    elif isinstance(held, float):
        kind, content = _FLOAT, fixed32_field(2, struct.pack("<f", held))
    elif isinstance(held, int):
        kind, content = _INT, integer_field(3, held)
    elif isinstance(held, str):
        kind, content = _STRING, bytes_field(4, held)
    elif isinstance(held, np.ndarray):
        kind, content = _TENSOR, bytes_field(5, tensor("", held))
    else:
        kind, content = _INTS, joined(integer_field(8, number) for number in held)
    return joined((bytes_field(1, name), content, integer_field(20, kind)))


def graph(
    operators: Iterable[bytes],
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
    constants: Mapping[str, np.ndarray] | None = None,
    name: str = "graph",
) -> bytes:
    """A graph (``GraphProto``) of parts that the functions above made."""
    return joined(
        (
            *(bytes_field(1, entry) for entry in operators),
            bytes_field(2, name),
            *(bytes_field(5, tensor(*item)) for item in (constants or {}).items()),
            *(bytes_field(11, entry) for entry in inputs),
            *(bytes_field(12, entry) for entry in outputs),
        )
    )


def model(
    held: bytes,
    metadata: Mapping[str, str] | None = None,
    opset: int = 17,
    domains: Mapping[str, int] | None = None,
    producer: str = "voicegraph",
) -> bytes:
    """A file (``ModelProto``) with a graph.

    Args:
        held: the graph.
        metadata: text by key, which other programs look for.
        opset: version of ONNX's operators.
        domains: further sets of operators with their versions.
        producer: name of the program that made it.
    """
    sets = {"": opset, **(domains or {})}
    return joined(
        (
            integer_field(1, _IR_VERSION),
            bytes_field(2, producer),
            bytes_field(7, held),
            *(
                bytes_field(8, bytes_field(1, domain) + integer_field(2, version))
                for domain, version in sets.items()
            ),
            *(
                bytes_field(14, bytes_field(1, key) + bytes_field(2, text))
                for key, text in (metadata or {}).items()
            ),
        )
    )
