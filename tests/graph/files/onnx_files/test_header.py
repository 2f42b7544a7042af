"""Headers of ONNX files: what is read without the weights, against ONNX's own reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.files.onnx_files._wire_format import varint
from voicegraph.graph.files.onnx_files.header import is_onnx, parse, read_header


def _model(**more) -> bytes:
    operators = [
        builder.operator("MatMul", ["x", "weight"], ["hidden"]),
        builder.operator("ConvTranspose", ["hidden", "up"], ["y"], {"strides": [5]}),
    ]
    graph = builder.graph(
        operators,
        [builder.value("x", "float16", [1, "frames", 3])],
        [builder.value("y", "float16", None)],
        {"weight": np.zeros((3, 4), np.float16), "up": np.zeros((4, 1, 5), np.float32)},
    )
    return builder.model(graph, **more)


def test_header_tells_types_shapes_and_versions(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(_model(metadata={"metadata": "{}"}, opset=16))
    found = read_header(path)
    assert {name: str(value) for name, value in found.inputs.items()} == {
        "x": "float16 [1, frames, 3]"
    }
    assert {name: str(value) for name, value in found.outputs.items()} == {"y": "float16"}
    assert (found.opset, found.producer, found.metadata) == (16, "voicegraph", {"metadata": "{}"})
    assert (found.parameters, found.dtype, found.upsampling) == (32, "float32", 5)
    assert [operator.op for operator in found.graph.operators] == ["MatMul", "ConvTranspose"]


def test_defaults_are_no_inputs_that_a_caller_must_give() -> None:
    graph = builder.graph(
        [builder.operator("Add", ["x", "scale"], ["y"])],
        [builder.value("x", "float32", [1]), builder.value("scale", "float32", [1])],
        [builder.value("y", "float32", [1])],
        {"scale": np.ones(1, np.float32)},
    )
    found = parse(Path("a.onnx"), builder.model(graph))
    assert list(found.inputs) == ["x"]
    assert list(found.optional) == ["scale"]


def test_a_large_file_is_read_without_its_weights(tmp_path: Path) -> None:
    """A sparse file of 8 GB: reading its weights would take minutes and all memory."""
    size = 1 << 33
    tensor = b"\x08" + varint(size // 4) + b"\x10\x01" + b"\x42\x03big" + b"\x4a" + varint(size)
    graph = b"\x2a" + varint(len(tensor) + size) + tensor
    path = tmp_path / "big.onnx"
    with path.open("wb") as file:
        file.write(b"\x08\x08\x3a" + varint(len(graph) + size) + graph)
        file.truncate(file.tell() + size)
    assert read_header(path).parameters == size // 4


@pytest.mark.parametrize("kept", range(0, 130, 7))
def test_a_cut_file_is_refused(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(_model()[:kept])
    with pytest.raises(WeightsError, match=r"cut\.onnx"):
        read_header(path)


def test_other_files_are_not_taken_for_onnx(tmp_path: Path) -> None:
    for name, start in {"a.pt": b"\x80\x02\x8a", "b.pth": b"PK\3\4", "c.index": b"IwFl"}.items():
        (tmp_path / name).write_bytes(start + bytes(64))
        assert not is_onnx(tmp_path / name)
    assert not is_onnx(tmp_path)
    (tmp_path / "d.onnx").write_bytes(_model())
    assert is_onnx(tmp_path / "d.onnx")


def test_agrees_with_the_package_onnx() -> None:
    onnx = pytest.importorskip("onnx", reason="compares with the package onnx (extra export)")
    ours = parse(Path("a.onnx"), _model(metadata={"a": "b"}))
    theirs = onnx.load_from_string(_model(metadata={"a": "b"}))
    assert [v.name for v in theirs.graph.input] == list(ours.inputs)
    assert {t.name: tuple(t.dims) for t in theirs.graph.initializer} == {
        name: tensor.dims for name, tensor in ours.tensors.items()
    }
    assert {p.key: p.value for p in theirs.metadata_props} == ours.metadata
    assert [n.op_type for n in theirs.graph.node] == [o.op for o in ours.graph.operators]
