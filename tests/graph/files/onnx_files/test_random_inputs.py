"""Random operators become inputs: the rewritten file computes the same from given numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.files.onnx_files.header import parse
from voicegraph.graph.files.onnx_files.random_inputs import (
    drawings,
    unrepeatable,
    with_random_inputs,
)

PATH = Path("m.onnx")


def _model(*operators: bytes, opset: int = 17, dtype: str = "float32", name: str = "x") -> bytes:
    graph = builder.graph(
        operators,
        [builder.value(name, dtype, ["a", "b"])],
        [builder.value("y", dtype, None)],
    )
    return builder.model(graph, {"a": "b"}, opset)


def _run(data: bytes, **feeds: np.ndarray) -> np.ndarray:
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(data).run(["y"], feeds)[0]


def _rewritten(data: bytes) -> bytes:
    return with_random_inputs(parse(PATH, data), data)


def test_numbers_take_the_place_of_what_was_drawn() -> None:
    drawn = builder.operator("RandomNormalLike", ["x"], ["noise"], {"dtype": 1})
    data = _model(drawn, builder.operator("Add", ["x", "noise"], ["y"]))
    x, numbers = np.zeros((2, 3), np.float32), np.arange(8, dtype=np.float32)
    found = _run(_rewritten(data), x=x, random_0=numbers)
    np.testing.assert_array_equal(found, [[0, 1, 2], [3, 4, 5]])  # more are left over


def test_the_rest_of_the_file_stays_as_it_is() -> None:
    drawn = builder.operator("RandomNormalLike", ["x"], ["noise"], {"dtype": 1})
    data = _model(drawn, builder.operator("Add", ["x", "noise"], ["y"]))
    found = parse(PATH, _rewritten(data))
    assert found.metadata == {"a": "b"}
    assert (found.opset, list(found.outputs)) == (17, ["y", "random_0_shape"])
    last, before = found.graph.operators[-1], parse(PATH, data).graph.operators[-1]
    assert (last.op, last.inputs, last.outputs) == (before.op, before.inputs, before.outputs)


def test_a_file_without_random_operators_is_not_copied() -> None:
    data = _model(builder.operator("Identity", ["x"], ["y"]))
    assert _rewritten(data) is data


@pytest.mark.parametrize("opset", [11, 14, 17])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_without_a_type_it_is_that_of_the_input(opset: int, dtype: str) -> None:
    drawn = builder.operator("RandomUniformLike", ["x"], ["noise"])
    graph = builder.graph(
        [drawn, builder.operator("Mul", ["noise", "one"], ["y"])],
        [builder.value("x", dtype, ["a"])],
        [builder.value("y", dtype, None)],
        {"one": np.ones(1, dtype)},
    )
    data = builder.model(graph, opset=opset)
    found = _run(_rewritten(data), x=np.zeros(2, dtype), random_0=np.array([1, 2], np.float32))
    assert found.dtype == dtype
    assert found.tolist() == [1, 2]


def test_a_shape_in_the_file() -> None:
    data = _model(builder.operator("RandomNormal", [], ["y"], {"shape": [2, 2]}))
    numbers = np.arange(4, dtype=np.float32)
    found = _run(_rewritten(data), x=np.zeros((1, 1), np.float32), random_0=numbers)
    assert found.tolist() == [[0, 1], [2, 3]]


def test_mean_and_range_are_told() -> None:
    normal = {"dtype": 1, "mean": 2.0, "scale": 3.0}
    uniform = {"dtype": 1, "low": -1.0, "high": 3.0}
    data = _model(
        builder.operator("RandomNormalLike", ["x"], ["a"], normal),
        builder.operator("RandomUniformLike", ["x"], ["y"], uniform),
    )
    one, two = drawings(parse(PATH, data))
    assert (one.normal, one.offset, one.scale) == (True, 2, 3)
    assert (two.normal, two.offset, two.scale) == (False, -1, 4)


def test_names_of_the_file_are_not_taken_again() -> None:
    drawn = builder.operator("RandomNormalLike", ["random_0"], ["y"])
    data = _model(drawn, name="random_0")
    (drawing,) = drawings(parse(PATH, data))
    assert drawing.input == "_random_0"


BODY = builder.graph([builder.operator("RandomNormal", [], ["b"], {"shape": [1]})], [], [])


@pytest.mark.parametrize(
    ("operators", "opset", "left"),
    [
        ([builder.operator("Multinomial", ["x"], ["y"])], 17, ("Multinomial",)),
        ([builder.operator("Bernoulli", ["x"], ["y"])], 17, ("Bernoulli",)),
        ([builder.operator("If", ["x"], ["y"], {"then_branch": BODY})], 17, ("RandomNormal",)),
        ([builder.operator("Dropout", ["x", "r", "t"], ["y"])], 17, ("Dropout",)),
        ([builder.operator("RandomNormalLike", ["x"], ["y"])], 9, ("RandomNormalLike",)),
        ([builder.operator("RandomNormalLike", ["x"], ["y"])], 17, ()),
        ([builder.operator("Dropout", ["x"], ["y"])], 17, ()),
    ],
    ids=["Multinomial", "Bernoulli", "branch", "training", "old", "none", "dropout"],
)
def test_what_stays_random_is_told(
    operators: list[bytes], opset: int, left: tuple[str, ...]
) -> None:
    assert unrepeatable(parse(PATH, _model(*operators, opset=opset))) == left
