"""What an ONNX file says of itself, read without onnx, onnxruntime or its weights."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from ...file_contents import Version
from ...regular_file import open_regular
from ..file_errors import FormatError, damaged, unreadable
from ..private_copy import version
from ._graph import Axis, Graph, OnnxValue, Operator, read_graph, read_operator
from ._limits import FunctionName, check_graphs
from ._tensors import FLOATS, StoredTensor
from ._wire_format import BYTES, VARINT, Field, WireReader

__all__ = ["Axis", "OnnxHeader", "OnnxValue", "is_onnx", "parse", "read_header"]

_GRAPH, _OPSET, _METADATA, _FUNCTION = 7, 8, 14, 25
_NEWEST_FORM = 64
"""Versions of the format are small numbers: 13 in 2026."""
_SECOND_TAGS = frozenset(b"\x12\x1a\x22\x28\x32\x3a\x42")
"""Tags of the fields that may follow the version: producer, domain, text, graph, operator sets."""


@dataclass(frozen=True, slots=True, eq=False)
class OnnxHeader:
    """An ONNX file without its weights.

    Attributes:
        path: as given.
        size: of the file, in bytes.
        form: version of the format (``ir_version``).
        opset: version of ONNX's operators.
        producer: the program that wrote it.
        metadata: text by key.
        graph: its operators, inputs, outputs and headers of tensors.
        functions: operators that it defines itself.
        graph_field: where the graph stands in the file.
    """

    path: Path
    size: int
    form: int
    opset: int
    producer: str
    metadata: Mapping[str, str]
    graph: Graph = field(repr=False)
    functions: Mapping[FunctionName, Graph] = field(repr=False)
    graph_field: Field = field(repr=False)

    @property
    def inputs(self) -> Mapping[str, OnnxValue]:
        """Inputs that a caller must give, by name."""
        return self.graph.inputs

    @property
    def optional(self) -> Mapping[str, OnnxValue]:
        """Inputs that have a default, by name; old exporters list every weight here."""
        return self.graph.optional

    @property
    def outputs(self) -> Mapping[str, OnnxValue]:
        """Outputs by name."""
        return self.graph.outputs

    @property
    def tensors(self) -> Mapping[str, StoredTensor]:
        """Headers of the stored tensors, by name."""
        return self.graph.tensors

    @property
    def parameters(self) -> int:
        """Number of stored floating-point values."""
        return sum(self._floats().values())

    @property
    def dtype(self) -> str:
        """The type of most stored values, such as ``float16``; empty if none is stored."""
        most = self._floats().most_common(1)
        return most[0][0] if most else ""

    def _floats(self) -> Counter[str]:
        found: Counter[str] = Counter()
        constants = [
            attribute.tensor
            for operator in self.graph.operators
            for attribute in operator.attributes.values()
            if attribute.tensor is not None
        ]
        for tensor in (*self.graph.tensors.values(), *constants):
            if tensor.dtype in FLOATS:
                found[tensor.dtype] += tensor.count
        return found

    @property
    def upsampling(self) -> int:
        """Output samples for each frame of the decoder: the product of all transposed strides."""
        return math.prod(
            stride
            for operator in self.graph.operators
            if operator.op == "ConvTranspose" and operator.standard
            for stride in _strides(operator)
        )


def _strides(operator: Operator) -> tuple[int, ...]:
    found = operator.attributes.get("strides")
    return found.integers if found else ()


def is_onnx(path: Path) -> bool:
    """Whether a file begins as every program writes ONNX, with the version of the format."""
    try:
        with open_regular(path) as file:
            start = file.read(3)
    except OSError:
        return False  # whatever opens it next reports what is wrong
    return (
        len(start) == 3
        and start[0] == 0x08
        and 0 < start[1] <= _NEWEST_FORM
        and start[2] in _SECOND_TAGS
    )


def read_header(path: str | Path) -> OnnxHeader:
    """Reads a file's header, once for each version of the file.

    Raises:
        WeightsError: if it is missing, malformed, or such that no runtime should see it: weights in
            other files, operators of other libraries, loops without end, sizes beyond the file.
    """
    path = Path(path)
    try:
        with open_regular(path) as file:
            return _cached(path, version(file))
    except FormatError as refused:
        raise refused.at(path) from None
    except OSError as error:
        raise unreadable(path, error) from None


@lru_cache(maxsize=16)
def _cached(path: Path, opened: Version) -> OnnxHeader:
    with open_regular(path) as file:
        found = _read(path, file, opened[0])
        if version(file) != opened:
            raise FormatError("file-changed", "it changed while it was read", "start again")
        return found


def parse(path: Path, data: bytes) -> OnnxHeader:
    """The header of a file that is in memory.

    Args:
        path: of the file, for messages.
        data: its contents.

    Raises:
        WeightsError: as :func:`read_header`.
    """
    try:
        return _read(path, io.BytesIO(data), len(data))
    except FormatError as refused:
        raise refused.at(path) from None


def _read(path: Path, file: BinaryIO, size: int) -> OnnxHeader:
    reader = WireReader(file, size)
    form, producer, opset = 0, "", 0
    metadata: dict[str, str] = {}
    graphs: list[tuple[Field, Graph]] = []
    functions: dict[FunctionName, Graph] = {}
    for part in reader.fields(0, size):
        if part.number == 1 and part.wire == VARINT:
            form = part.value
        elif part.number == 2 and part.wire == BYTES:
            producer = reader.text(part)
        elif part.number == _GRAPH and part.wire == BYTES:
            graphs.append((part, read_graph(reader, part.start, part.end)))
        elif part.number == _OPSET and part.wire == BYTES:
            domain, number = _read_opset(reader, part)
            opset = number if domain in ("", "ai.onnx") else opset
        elif part.number == _METADATA and part.wire == BYTES:
            key, text = _read_entry(reader, part)
            metadata[key] = text
        elif part.number == _FUNCTION and part.wire == BYTES:
            name, body = _read_function(reader, part)
            functions[name] = body
    if len(graphs) != 1:
        raise damaged(f"it has {len(graphs) or 'no'} graph{'s' if graphs else ''}, not one")
    ((place, graph),) = graphs
    check_graphs(graph, functions)
    return OnnxHeader(path, size, form, opset, producer, metadata, graph, functions, place)


def _read_opset(reader: WireReader, part: Field) -> tuple[str, int]:
    domain, number = "", 0
    for inner in reader.fields(part.start, part.end):
        if inner.number == 1 and inner.wire == BYTES:
            domain = reader.name(inner)
        elif inner.number == 2 and inner.wire == VARINT:
            number = inner.value
    return domain, number


def _read_entry(reader: WireReader, part: Field) -> tuple[str, str]:
    """A text with its key (``StringStringEntryProto``)."""
    texts = {1: "", 2: ""}
    for inner in reader.fields(part.start, part.end):
        if inner.number in texts and inner.wire == BYTES:
            texts[inner.number] = reader.text(inner)
    return texts[1], texts[2]


def _read_function(reader: WireReader, part: Field) -> tuple[FunctionName, Graph]:
    """A function of the file's own (``FunctionProto``)."""
    texts, body = {1: "", 10: "", 13: ""}, Graph()
    for inner in reader.fields(part.start, part.end):
        if inner.wire != BYTES:
            continue
        if inner.number in texts:
            texts[inner.number] = reader.name(inner)
        elif inner.number == 7:
            body.operators.append(read_operator(reader, inner, 1))
    return (texts[10], texts[1], texts[13]), body
