"""Hostile ONNX files: each is refused by a sentence, before any runtime sees it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.files.onnx_files._wire_format import bytes_field, integer_field, varint
from voicegraph.graph.files.onnx_files.header import parse

INPUT = [builder.value("x", "float32", [1])]
OUTPUT = [builder.value("y", "float32", [1])]
TRUE = {"more": np.array([True])}


def _model(*operators: bytes, constants=None, more: bytes = b"", functions: bytes = b"") -> bytes:
    graph = builder.graph(operators, INPUT, OUTPUT, constants) + more
    return builder.model(graph) + functions


def _code(data: bytes) -> tuple[str, str]:
    with pytest.raises(WeightsError) as caught:
        parse(Path("m.onnx"), data)
    (problem,) = caught.value.problems
    assert problem.message.startswith("m.onnx: ")
    assert problem.fix
    return problem.code, problem.message


def _external(location: str) -> bytes:
    """A tensor whose values are said to be in another file."""
    entry = bytes_field(1, "location") + bytes_field(2, location)
    return b"".join(
        (integer_field(1, 4), integer_field(2, 1), bytes_field(8, "w"), bytes_field(13, entry))
    )


@pytest.mark.parametrize("location", ["weights.data", "../../etc/passwd", "/etc/passwd"])
def test_weights_in_another_file(location: str) -> None:
    code, message = _code(_model(more=bytes_field(5, _external(location))))
    assert code == "external-data"
    assert location in message


def test_weights_in_another_file_in_an_attribute() -> None:
    attribute = bytes_field(1, "value") + bytes_field(5, _external("a"))
    constant = bytes_field(2, "c") + bytes_field(4, "Constant") + bytes_field(5, attribute)
    assert _code(_model(constant))[0] == "external-data"


def test_weights_in_another_file_in_a_branch() -> None:
    branch = builder.graph([], [], []) + bytes_field(5, _external("a"))
    choice = builder.operator("If", ["x"], ["y"], {"then_branch": branch})
    assert _code(_model(choice))[0] == "external-data"


def test_only_its_location_says_that_weights_are_elsewhere() -> None:
    tensor = integer_field(1, 0) + integer_field(2, 1) + integer_field(14, 1)
    assert _code(_model(more=bytes_field(5, tensor)))[0] == "external-data"


def test_an_operator_that_loads_files() -> None:
    context = builder.operator("EPContext", ["x"], ["y"], domain="com.microsoft")
    assert _code(_model(context))[0] == "external-data"


@pytest.mark.parametrize("domain", ["ai.onnx.ml", "my.library", "com.microsoft.nchwc"])
def test_operators_of_other_libraries(domain: str) -> None:
    code, message = _code(_model(builder.operator("Foreign", ["x"], ["y"], domain=domain)))
    assert code == "foreign-operator"
    assert domain in message


def test_operators_of_onnx_runtime_are_taken() -> None:
    gelu = builder.operator("Gelu", ["x"], ["y"], domain="com.microsoft")
    parse(Path("m.onnx"), _model(gelu))


@pytest.mark.parametrize("dims", [[1 << 60], [1 << 31, 1 << 31], [5]])
def test_sizes_beyond_the_file(dims: list[int]) -> None:
    tensor = b"".join(integer_field(1, size) for size in dims)
    tensor += integer_field(2, 1) + bytes_field(8, "w") + bytes_field(9, bytes(16))
    assert _code(_model(more=bytes_field(5, tensor)))[0] == "tensor-too-large"


def test_sizes_beyond_typed_values() -> None:
    tensor = integer_field(1, 1 << 20) + integer_field(2, 1) + bytes_field(4, bytes(16))
    assert _code(_model(more=bytes_field(5, tensor)))[0] == "tensor-too-large"


def test_negative_sizes() -> None:
    tensor = integer_field(1, -1) + integer_field(2, 1) + bytes_field(9, b"")
    assert _code(_model(more=bytes_field(5, tensor)))[0] == "damaged-file"


@pytest.mark.parametrize(
    "operator",
    [
        builder.operator("ConstantOfShape", ["size"], ["y"]),
        builder.operator("Expand", ["x", "size"], ["y"]),
        builder.operator("Tile", ["x", "size"], ["y"]),
        builder.operator("RandomNormal", [], ["y"], {"shape": [1 << 20, 1 << 20]}),
    ],
    ids=["ConstantOfShape", "Expand", "Tile", "RandomNormal"],
)
def test_a_few_bytes_that_ask_for_all_memory(operator: bytes) -> None:
    sizes = {"size": np.array([1 << 20, 1 << 20])}
    assert _code(_model(operator, constants=sizes))[0] == "tensor-too-large"


def test_a_size_that_a_constant_operator_gives() -> None:
    size = builder.operator("Constant", [], ["size"], {"value": np.array([1 << 40])})
    fill = builder.operator("ConstantOfShape", ["size"], ["y"])
    assert _code(_model(size, fill))[0] == "tensor-too-large"


BODY = builder.graph([builder.operator("Identity", ["a"], ["b"])], [], [])


def _loop(rounds: str, body: bytes = BODY) -> bytes:
    return builder.operator("Loop", [rounds, "more", "x"], ["y"], {"body": body})


def test_a_loop_without_a_number_of_rounds() -> None:
    assert _code(_model(_loop(""), constants=TRUE))[0] == "endless-loop"


def test_a_loop_whose_rounds_are_computed() -> None:
    computed = builder.operator("Mul", ["n", "n"], ["rounds"])
    made = _model(computed, _loop("rounds"), constants={**TRUE, "n": np.array(5)})
    assert _code(made)[0] == "endless-loop"


def test_loops_that_multiply() -> None:
    rounds = {**TRUE, "rounds": np.array(50_000)}
    parse(Path("m.onnx"), _model(_loop("rounds"), constants=rounds))
    inner = builder.graph([_loop("rounds")], [], [])
    assert _code(_model(_loop("rounds", inner), constants=rounds))[0] == "endless-loop"


def test_a_number_of_rounds_that_the_body_hides() -> None:
    """Inside, the name is that of something computed, and not of the constant outside."""
    hidden = builder.operator("Mul", ["a", "a"], ["rounds"])
    inner = builder.graph([hidden, _loop("rounds")], [], [])
    made = _model(_loop("rounds", inner), constants={**TRUE, "rounds": np.array(2)})
    assert _code(made)[0] == "endless-loop"


def test_graphs_without_end_within_graphs() -> None:
    body = BODY
    for _ in range(40):
        body = builder.graph([builder.operator("If", ["x"], ["y"], {"then_branch": body})], [], [])
    choice = builder.operator("If", ["x"], ["y"], {"then_branch": body})
    assert _code(_model(choice))[0] == "onnx-too-large"


def _function(name: str, *calls: str) -> bytes:
    operators = [builder.operator(call, ["a"], ["b"], domain="own") for call in calls]
    body = b"".join(bytes_field(7, operator) for operator in operators)
    return bytes_field(25, bytes_field(1, name) + body + bytes_field(10, "own"))


def test_a_function_that_calls_itself() -> None:
    call = builder.operator("f", ["x"], ["y"], domain="own")
    made = _model(call, functions=_function("f", "g") + _function("g", "f"))
    assert _code(made)[0] == "endless-loop"


def test_functions_that_multiply() -> None:
    """Each calls the next one twice: 2 ** 40 operators in all."""
    names = [f"f{i}" for i in range(41)]
    functions = b"".join(_function(a, b, b) for a, b in pairwise(names))
    call = builder.operator("f0", ["x"], ["y"], domain="own")
    assert _code(_model(call, functions=functions + _function("f40")))[0] == "onnx-too-large"


def test_own_functions_are_taken() -> None:
    call = builder.operator("f", ["x"], ["y"], domain="own")
    parse(Path("m.onnx"), _model(call, functions=_function("f")))


def test_two_graphs() -> None:
    """Protobuf would merge them to one that nobody has checked."""
    graph = bytes_field(7, builder.graph([], INPUT, OUTPUT))
    assert _code(_model() + graph)[0] == "damaged-file"


def test_two_values_of_an_attribute() -> None:
    attribute = bytes_field(1, "value") + 2 * bytes_field(5, builder.tensor("", np.zeros(1)))
    constant = bytes_field(2, "y") + bytes_field(4, "Constant") + bytes_field(5, attribute)
    assert _code(_model(constant))[0] == "damaged-file"


def test_two_tensors_of_one_name() -> None:
    one = bytes_field(5, builder.tensor("w", np.zeros(1, np.float32)))
    assert _code(_model(more=one + one))[0] == "damaged-file"


def test_parts_without_number() -> None:
    """Three million fields of two bytes each."""
    assert _code(b"\x08\x08" * 3_000_000)[0] == "onnx-too-large"


def test_names_that_are_no_text() -> None:
    assert _code(_model(bytes_field(1, b"\xff\xfe")))[0] == "damaged-file"
    assert _code(_model(bytes_field(1, b"a" * 5000)))[0] == "damaged-file"


def test_a_length_beyond_what_holds_it() -> None:
    assert _code(b"\x08\x08" + b"\x3a" + varint(1 << 62))[0] == "damaged-file"
