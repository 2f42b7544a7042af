"""Graphs of an ONNX file: operators, values and tensors, with the graphs nested in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..file_errors import FormatError, damaged
from ._tensors import DTYPES, StoredTensor, read_tensor
from ._wire_format import BYTES, FIXED32, VARINT, Field, WireReader, signed

STANDARD = ("", "ai.onnx")
"""The domain of ONNX's own operators, by both of its names."""
_DEEPEST = 16
"""Graphs within graphs; a branch within a loop has two."""
_MOST_INTS = 64
_MOST_AXES = 32
_SINGLE = (5, 6, 22)
"""Messages of which an attribute has one; protobuf would merge two to one that nobody checked."""

Axis = int | str | None
"""A fixed size, the name of one that varies, or None if nothing is said."""


@dataclass(frozen=True, slots=True)
class OnnxValue:
    """An input or output of a graph.

    Attributes:
        dtype: name of the element type; empty for what is no tensor.
        axes: its shape; None if it is not stated.
    """

    dtype: str
    axes: tuple[Axis, ...] | None

    def __str__(self) -> str:
        """As ``float32 [1, frames, 768]``."""
        if self.axes is None:
            return self.dtype or "no tensor"
        listed = ", ".join("?" if axis in (None, "") else str(axis) for axis in self.axes)
        return f"{self.dtype} [{listed}]"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A constant of an operator.

    Attributes:
        number: of a float or an integer.
        integers: of a list of integers, at most 64 of them.
        text: of a string.
        tensor: of a tensor.
        graphs: of one graph or several.
    """

    number: float | None = None
    integers: tuple[int, ...] = ()
    text: str = ""
    tensor: StoredTensor | None = None
    graphs: tuple[Graph, ...] = ()


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of a graph (``NodeProto``).

    Attributes:
        op: its type.
        domain: who defines it; empty is ONNX itself.
        overload: tells functions of one name apart.
        name: its own name; may be empty.
        inputs: names of values; an empty one is left out.
        outputs: names of values.
        attributes: by name.
        begin: position of the operator in the file, its tag included.
        end: position behind it.
    """

    op: str
    domain: str
    overload: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    begin: int
    end: int

    @property
    def standard(self) -> bool:
        """Whether ONNX itself defines it."""
        return self.domain in STANDARD

    @property
    def graphs(self) -> Iterator[Graph]:
        """The graphs in its attributes: branches, and bodies of loops."""
        for attribute in self.attributes.values():
            yield from attribute.graphs


@dataclass(slots=True)
class Graph:
    """A graph, or the body of a function.

    Attributes:
        operators: in the order of the file.
        tensors: its constants (initializers) by name.
        inputs: that a caller must give, by name.
        optional: inputs by name that have one of the tensors as a default.
        outputs: by name.
    """

    operators: list[Operator] = field(default_factory=list)
    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    inputs: dict[str, OnnxValue] = field(default_factory=dict)
    optional: dict[str, OnnxValue] = field(default_factory=dict)
    outputs: dict[str, OnnxValue] = field(default_factory=dict)

    def everywhere(self) -> Iterator[tuple[Graph, Operator, bool]]:
        """Every operator with its graph, and whether that graph is nested in another one."""
        pending = [(self, False)]
        while pending:
            graph, nested = pending.pop()
            for operator in graph.operators:
                yield graph, operator, nested
                pending += [(inner, True) for inner in operator.graphs]


def read_graph(reader: WireReader, start: int, end: int, depth: int = 0) -> Graph:
    """Reads a graph (``GraphProto``) without its weights.

    Raises:
        FormatError: if it is malformed or nested too deeply.
    """
    _check_depth(depth)
    graph = Graph()
    for part in reader.fields(start, end):
        if part.wire != BYTES:
            continue
        if part.number == 1:
            graph.operators.append(read_operator(reader, part, depth))
        elif part.number == 5:
            _add(graph, read_tensor(reader, part.start, part.end))
        elif part.number == 15:
            for tensor in _read_sparse(reader, part):
                _add(graph, tensor)
        elif part.number in (11, 12):
            name, value = _read_value(reader, part)
            (graph.inputs if part.number == 11 else graph.outputs)[name] = value
    for name in [name for name in graph.inputs if name in graph.tensors]:
        graph.optional[name] = graph.inputs.pop(name)
    return graph


def _add(graph: Graph, tensor: StoredTensor) -> None:
    if tensor.name in graph.tensors:
        raise damaged(f"it holds two tensors of the name {tensor.name[:80]!r}")
    graph.tensors[tensor.name] = tensor


def _read_sparse(reader: WireReader, part: Field) -> list[StoredTensor]:
    """Values and indices (``SparseTensorProto``)."""
    return [
        read_tensor(reader, half.start, half.end)
        for half in reader.fields(part.start, part.end)
        if half.number in (1, 2) and half.wire == BYTES
    ]


def read_operator(reader: WireReader, part: Field, depth: int) -> Operator:
    """Reads an operator (``NodeProto``)."""
    texts: dict[int, str] = {}
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    for inner in reader.fields(part.start, part.end):
        if inner.wire != BYTES:
            continue
        if inner.number == 1:
            inputs.append(reader.name(inner))
        elif inner.number == 2:
            outputs.append(reader.name(inner))
        elif inner.number in (3, 4, 7, 8):
            texts[inner.number] = reader.name(inner)
        elif inner.number == 5:
            name, attribute = _read_attribute(reader, inner, depth)
            attributes[name] = attribute
    return Operator(
        texts.get(4, ""),
        texts.get(7, ""),
        texts.get(8, ""),
        texts.get(3, ""),
        tuple(inputs),
        tuple(outputs),
        attributes,
        part.begin,
        part.end,
    )


def _read_attribute(reader: WireReader, part: Field, depth: int) -> tuple[str, Attribute]:
    """A constant of an operator (``AttributeProto``)."""
    name, number, integers, text = "", None, list[int](), ""
    tensors, graphs, single = list[StoredTensor](), list[Graph](), list[int]()
    for inner in reader.fields(part.start, part.end):
        if inner.number == 1 and inner.wire == BYTES:
            name = reader.name(inner)
        elif inner.number == 2 and inner.wire == FIXED32:
            number = struct.unpack("<f", reader.read(inner.start, inner.end))[0]
        elif inner.number == 3 and inner.wire == VARINT:
            number = signed(inner.value)
        elif inner.number == 4 and inner.wire == BYTES:
            text = reader.text(inner)
        elif inner.number == 8 and inner.wire in (BYTES, VARINT):
            integers += reader.integers(inner, _MOST_INTS)
        elif inner.number in (5, 10) and inner.wire == BYTES:
            tensors.append(read_tensor(reader, inner.start, inner.end))
        elif inner.number in (6, 11) and inner.wire == BYTES:
            graphs.append(read_graph(reader, inner.start, inner.end, depth + 1))
        elif inner.number in (22, 23) and inner.wire == BYTES:
            tensors += _read_sparse(reader, inner)
        single += [inner.number] if inner.number in _SINGLE else []
    if len(single) != len(set(single)):
        raise damaged(f"an attribute {name[:80]!r} in it has two values")
    tensor = tensors[0] if len(tensors) == 1 else None
    return name, Attribute(number, tuple(integers[:_MOST_INTS]), text, tensor, tuple(graphs))


def _read_value(reader: WireReader, part: Field) -> tuple[str, OnnxValue]:
    """Name and type of a graph's input or output (``ValueInfoProto``)."""
    name, value = "", OnnxValue("", None)
    for inner in reader.fields(part.start, part.end):
        if inner.wire != BYTES:
            continue
        if inner.number == 1:
            name = reader.name(inner)
        elif inner.number == 2:
            for kind in reader.fields(inner.start, inner.end):
                if kind.number == 1 and kind.wire == BYTES:
                    value = _read_type(reader, kind)
    return name, value


def _read_type(reader: WireReader, part: Field) -> OnnxValue:
    """Element type and shape (``TypeProto.Tensor``)."""
    dtype, axes = "", None
    for inner in reader.fields(part.start, part.end):
        if inner.number == 1 and inner.wire == VARINT:
            dtype = DTYPES.get(inner.value, f"type {inner.value}")
        elif inner.number == 2 and inner.wire == BYTES:
            axes = tuple(
                _read_axis(reader, axis)
                for axis in reader.fields(inner.start, inner.end)
                if axis.number == 1 and axis.wire == BYTES
            )[:_MOST_AXES]
    return OnnxValue(dtype, axes)


def _read_axis(reader: WireReader, part: Field) -> Axis:
    axis: Axis = None
    for inner in reader.fields(part.start, part.end):
        if inner.number == 1 and inner.wire == VARINT:
            axis = signed(inner.value)
        elif inner.number == 2 and inner.wire == BYTES:
            axis = reader.name(inner)
    return axis


def _check_depth(depth: int) -> None:
    if depth > _DEEPEST:
        raise FormatError(
            "onnx-too-large",
            f"its graphs are nested more than {_DEEPEST} deep, more than in any model",
            "do not use this file; get the model from where its author publishes it",
        )
