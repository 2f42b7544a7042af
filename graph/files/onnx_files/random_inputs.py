"""Turns operators that draw random numbers into inputs, so that a network is repeatable.

ONNX Runtime's random operators have a state of their own that no caller can set for one network. In
a rewritten file each of them is an input of plain numbers, and an output says of which shape:

    RandomNormalLike(x) -> y    becomes    Shape(x) -> shape; Reshape(numbers[:product], shape) -> y

More numbers than needed do no harm, so that one run with many zeros tells the shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from . import builder
from ._graph import Operator
from ._tensors import DTYPES
from ._wire_format import bytes_field, varint
from .header import OnnxHeader

__all__ = ["Drawing", "unrepeatable", "with_random_inputs"]

_LIKE = ("RandomNormalLike", "RandomUniformLike")
_SHAPED = ("RandomNormal", "RandomUniform")
_OTHERS = ("Bernoulli", "Multinomial")
"""Operators whose random numbers decide among values; they are left as they are."""
_SLICE_BY_INPUTS = 10
"""The first version of ONNX's operators whose ``Slice`` takes its ends as inputs."""
_CAST_LIKE = 15
"""The first version of ONNX's operators that has ``CastLike``."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Random numbers that a rewritten network takes.

    Attributes:
        input: name of the input: float32 ``[count]`` or longer, standard normal or uniform in 0..1.
        shape: name of the output that gives their shape, int64.
        normal: whether they are normal, else uniform.
        scale: factor of the numbers.
        offset: added to them.
    """

    input: str
    shape: str
    normal: bool
    scale: float
    offset: float


def unrepeatable(header: OnnxHeader) -> tuple[str, ...]:
    """Operators whose random numbers cannot become inputs, by type, each once.

    Random operators in loops, in branches and in functions, operators that draw lots, dropout in
    training, and all of them in files of 2018.
    """
    old = header.opset < _SLICE_BY_INPUTS
    found = [
        operator.op
        for _, operator, nested in header.graph.everywhere()
        if operator.standard
        if operator.op in _OTHERS
        or ((nested or old) and operator.op in (*_LIKE, *_SHAPED))
        or _trains(header, operator)
    ]
    found += [
        operator.op
        for body in header.functions.values()
        for _, operator, _ in body.everywhere()
        if operator.standard and operator.op in (*_LIKE, *_SHAPED, *_OTHERS)
    ]
    return tuple(dict.fromkeys(found))


def _trains(header: OnnxHeader, operator: Operator) -> bool:
    """Whether it is dropout that may be switched on: its third input says so."""
    if operator.op != "Dropout" or len(operator.inputs) < 3 or not operator.inputs[2]:
        return False
    return operator.inputs[2] not in header.tensors


def drawings(header: OnnxHeader) -> tuple[Drawing, ...]:
    """The random numbers that the rewritten network takes, in the order of its operators."""
    stem = _stem(header)
    return tuple(
        _drawing(operator, f"{stem}{number}") for number, operator in enumerate(_drawers(header))
    )


def with_random_inputs(header: OnnxHeader, data: bytes) -> bytes:
    """The file with its random operators replaced by inputs.

    Args:
        header: read from ``data``.
        data: the file.
    """
    drawers = _drawers(header)
    if not drawers:
        return data
    made = drawings(header)
    half = next((t.dtype for t in header.tensors.values() if t.dtype == "float16"), "float32")
    parts: list[bytes | memoryview] = []
    seen = memoryview(data)
    at = header.graph_field.start
    for operator, drawing in zip(drawers, made, strict=True):
        parts.append(seen[at : operator.begin])
        parts += [
            bytes_field(1, part) for part in _replacement(operator, drawing, header.opset, half)
        ]
        at = operator.end
    parts.append(seen[at : header.graph_field.end])
    parts += [
        bytes_field(11, builder.value(drawing.input, "float32", [f"{drawing.input}.given"]))
        for drawing in made
    ]
    parts += [
        bytes_field(12, builder.value(drawing.shape, "int64", [f"{drawing.shape}.axes"]))
        for drawing in made
    ]
    size = sum(len(part) for part in parts)
    tag = bytes_field(7, b"")[:1]
    field = header.graph_field
    return b"".join([seen[: field.begin], tag, varint(size), *parts, seen[field.end :]])


def _drawers(header: OnnxHeader) -> list[Operator]:
    if header.opset < _SLICE_BY_INPUTS:
        return []
    return [
        operator
        for operator in header.graph.operators
        if operator.standard and operator.op in (*_LIKE, *_SHAPED) and operator.outputs
    ]


def _stem(header: OnnxHeader) -> str:
    """A beginning that no name in the graph has."""
    names = {name for found in header.graph.operators for name in (*found.inputs, *found.outputs)}
    names |= header.inputs.keys() | header.tensors.keys()
    stem = "random_"
    while any(name.startswith(stem) for name in names):
        stem = f"_{stem}"
    return stem


def _drawing(operator: Operator, name: str) -> Drawing:
    normal = operator.op.startswith("RandomNormal")
    first, second = ("mean", "scale") if normal else ("low", "high")
    low, high = _number(operator, first, 0.0), _number(operator, second, 1.0)
    scale = high if normal else high - low
    return Drawing(name, f"{name}_shape", normal, scale, low)


def _number(operator: Operator, name: str, default: float) -> float:
    found = operator.attributes.get(name)
    return default if found is None or found.number is None else float(found.number)


def _replacement(operator: Operator, drawing: Drawing, opset: int, usual: str) -> Iterator[bytes]:
    """Operators that give the numbers in shape and type of what the random operator gave."""
    output, shape = operator.outputs[0], drawing.shape
    if operator.op in _LIKE:
        yield builder.operator("Shape", [operator.inputs[0]], [shape])
    else:
        stated = operator.attributes.get("shape")
        sizes = np.array(stated.integers if stated else (), np.int64)
        yield builder.operator("Constant", [], [shape], {"value": sizes})
    stem = drawing.input
    count, first, used, values = (f"{stem}_{what}" for what in ("count", "first", "used", "values"))
    yield builder.operator("ReduceProd", [shape], [count])
    yield builder.operator("Constant", [], [first], {"value": np.zeros(1, np.int64)})
    yield builder.operator("Slice", [stem, first, count], [used])
    yield builder.operator("Reshape", [used, shape], [values])
    number = operator.attributes.get("dtype")
    if number is not None and number.number is not None:
        yield builder.operator("Cast", [values], [output], {"to": int(number.number)})
    elif operator.op in _SHAPED:
        yield builder.operator("Identity", [values], [output])
    elif opset >= _CAST_LIKE:
        yield builder.operator("CastLike", [values, operator.inputs[0]], [output])
    else:
        names = {name: kind for kind, name in DTYPES.items()}
        yield builder.operator("Cast", [values], [output], {"to": names[usual]})
