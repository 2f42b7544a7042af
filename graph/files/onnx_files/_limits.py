"""Refuses graphs that a runtime must not see: foreign operators, endless loops, giant tensors.

A runtime that is given a graph runs it. Nothing in it may read other files, call other libraries,
go on without end, or take memory that its file does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..file_errors import FormatError
from ._graph import STANDARD, Graph, Operator
from ._tensors import StoredTensor

FunctionName = tuple[str, str, str]
"""Domain, name and overload."""
MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""
_DOMAINS = (*STANDARD, MICROSOFT)
_READS_FILES = ("EPContext",)
"""Operators that open other files: compiled code of an accelerator."""
_MOST_ROUNDS = 100_000
"""Of all loops around an operator together."""
_MOST_OPERATORS = 200_000
"""After functions are replaced by their bodies."""
_MOST_MADE = 1 << 28
"""Values of a tensor that an operator makes of a size in the file: 1 GiB of float32."""
_SHAPED_BY_INPUT = {
    "ConstantOfShape": 0,
    "Expand": 1,
    "Reshape": 1,
    "Resize": 3,
    "Tile": 1,
    "Pad": 1,
    "Upsample": 1,
    "OneHot": 1,
    "EyeLike": 0,
}
"""Operators whose output has the size of a constant: the input that it is."""
_SHAPED_BY_ATTRIBUTE = ("RandomNormal", "RandomUniform")
_DO_NOT_USE = "do not use this file; get the model from where its author publishes it"


def check_graphs(graph: Graph, functions: Mapping[FunctionName, Graph]) -> None:
    """Checks a model's graph and its functions.

    Raises:
        FormatError: if a runtime must not see it.
    """
    for body in (graph, *functions.values()):
        _check_domains(body, functions)
        _check_rounds(body, 1, {})
        _check_sizes(body)
    _check_expansion(graph, functions)


def _named(operator: Operator) -> str:
    """An operator in messages."""
    called = f" ({operator.name[:80]})" if operator.name else ""
    return f"{operator.op[:80]}{called}"


def _check_domains(graph: Graph, functions: Mapping[FunctionName, Graph]) -> None:
    for _, operator, _ in graph.everywhere():
        if operator.op in _READS_FILES:
            text = f"its operator {_named(operator)} loads other files, which a model must not name"
            raise FormatError("external-data", text, _DO_NOT_USE)
        called = (operator.domain, operator.op, operator.overload)
        if operator.domain not in _DOMAINS and called not in functions:
            text = (
                f"its operator {_named(operator)} is defined by {operator.domain[:80]!r}; "
                f"operators of ONNX and of {MICROSOFT} can be used"
            )
            fix = "export the model again with ONNX's own operators"
            raise FormatError("foreign-operator", text, fix)


def _check_rounds(graph: Graph, rounds: int, known: Mapping[str, StoredTensor]) -> None:
    """A loop must say how often it runs: `Loop` takes any condition, which may never be false."""
    own = {
        *graph.inputs,
        *graph.optional,
        *(name for found in graph.operators for name in found.outputs),
    }
    outer = {name: tensor for name, tensor in known.items() if name not in own}
    constants = {**outer, **_constants(graph)}
    for operator in graph.operators:
        inside = rounds
        if operator.op == "Loop" and operator.standard:
            stated = _integers(constants, operator.inputs[0]) if operator.inputs else None
            if stated is None or len(stated) != 1:
                text = f"its loop {_named(operator)} does not say how many rounds it has, and may "
                raise FormatError("endless-loop", f"{text}never end", _without_loop())
            inside = rounds * max(stated[0], 0)
            if inside > _MOST_ROUNDS:
                text = f"its loop {_named(operator)} has {inside:,} rounds, which would take too "
                raise FormatError("endless-loop", f"{text}long", _without_loop())
        for inner in operator.graphs:
            _check_rounds(inner, inside, constants)


def _without_loop() -> str:
    return "export the model again by tracing, which leaves no loops"


def _constants(graph: Graph) -> dict[str, StoredTensor]:
    """Constants by the name of their value: initializers, and what `Constant` gives."""
    found = dict(graph.tensors)
    for operator in graph.operators:
        if operator.op != "Constant" or not operator.outputs:
            continue
        attributes = operator.attributes
        if "value" in attributes and attributes["value"].tensor is not None:
            found[operator.outputs[0]] = attributes["value"].tensor
        elif "value_int" in attributes and attributes["value_int"].number is not None:
            value = int(attributes["value_int"].number)
            found[operator.outputs[0]] = StoredTensor("", "int64", (), (value,))
        elif "value_ints" in attributes:
            values = attributes["value_ints"].integers
            found[operator.outputs[0]] = StoredTensor("", "int64", (len(values),), values)
    return found


def _integers(constants: Mapping[str, StoredTensor], name: str) -> tuple[int, ...] | None:
    found = constants.get(name)
    return found.integers if found is not None else None


def _check_sizes(graph: Graph) -> None:
    """A few bytes may ask for any amount of memory, some of it when the runtime is opened."""
    constants: dict[int, dict[str, StoredTensor]] = {}
    for inner, operator, _ in graph.everywhere():
        known = constants.setdefault(id(inner), _constants(inner))
        made = math.prod(_sizes(operator, known))
        if made > _MOST_MADE:
            text = (
                f"its operator {_named(operator)} would make {made:,} values, more than any model"
            )
            raise FormatError("tensor-too-large", text, _DO_NOT_USE)


def _sizes(operator: Operator, known: Mapping[str, StoredTensor]) -> Iterator[int]:
    """The factors of an output's size that stand in the file."""
    place = _SHAPED_BY_INPUT.get(operator.op)
    if place is not None and len(operator.inputs) > place:
        yield from map(abs, filter(None, _integers(known, operator.inputs[place]) or ()))
    if operator.op == "Range" and len(operator.inputs) == 3:
        ends = [_integers(known, name) for name in operator.inputs]
        if all(ends):
            (start,), (stop,), (step,) = (values[:1] for values in ends if values)
            yield abs(stop - start) // max(abs(step), 1)
    if operator.op in _SHAPED_BY_ATTRIBUTE and "shape" in operator.attributes:
        yield from map(abs, operator.attributes["shape"].integers)


def _check_expansion(graph: Graph, functions: Mapping[FunctionName, Graph]) -> None:
    """Functions that call each other are replaced by their bodies: that must end, and be small."""
    sizes: dict[FunctionName, int] = {}
    entered: set[FunctionName] = set()

    def size_of(body: Graph) -> int:
        total = 0
        for _, operator, _ in body.everywhere():
            called = (operator.domain, operator.op, operator.overload)
            total += max(1, expanded(called)) if called in functions else 1
            if total > _MOST_OPERATORS:
                text = f"it has more than {_MOST_OPERATORS:,} operators, more than any model"
                raise FormatError("onnx-too-large", text, _DO_NOT_USE)
        return total

    def expanded(name: FunctionName) -> int:
        if name in entered:
            text = f"its function {name[1][:80]!r} calls itself, which would never end"
            raise FormatError("endless-loop", text, _DO_NOT_USE)
        if name not in sizes:
            entered.add(name)
            sizes[name] = size_of(functions[name])
            entered.discard(name)
        return sizes[name]

    for name in functions:
        expanded(name)
    size_of(graph)
