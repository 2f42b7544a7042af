"""Sessions of ONNX Runtime: threads, spinning, providers, errors as sentences."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import PipelineError, VoicegraphError, WeightsError
from voicegraph.graph.files.onnx_files import builder
from voicegraph.nodes.layers import onnx_session
from voicegraph.nodes.layers.onnx_session import check_runtime, load_network

CPU = torch.device("cpu")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    graph = builder.graph(
        [builder.operator("Add", ["x", "x"], ["y"])],
        [builder.value("x", "float16", [1, "n"])],
        [builder.value("y", "float16", [1, "n"])],
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(builder.model(graph))
    return path


class _Runtime:
    """ONNX Runtime that says what it was asked for."""

    __version__ = "9.0"

    def __init__(self, available: list[str], started: list[str] | None = None) -> None:
        self.available, self.started = available, started or available
        self.asked: dict[str, Any] = {}

    def get_available_providers(self) -> list[str]:
        return self.available

    def SessionOptions(self) -> Any:
        entries = self.asked.setdefault("entries", {})
        self.options = SimpleNamespace(add_session_config_entry=entries.__setitem__)
        return self.options

    def InferenceSession(self, data: bytes, options: Any, providers: list[Any]) -> Any:
        self.asked.update(data=data, options=options, providers=providers)
        return SimpleNamespace(
            disable_fallback=lambda: None, get_providers=lambda: self.started, run=None
        )


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(*more: Any) -> _Runtime:
        made = _Runtime(*more)
        monkeypatch.setattr(onnx_session, "_import", lambda node: made)
        return made

    return use


def test_inputs_are_converted_to_the_types_of_the_file(path: Path) -> None:
    network = load_network(path, "n", CPU)
    (found,) = network.run({"x": np.ones((1, 3), np.float32)}, ["y"])
    assert found.dtype == np.float16
    assert found.tolist() == [[2, 2, 2]]


def test_threads_are_those_of_the_pipeline_and_do_not_spin(path: Path, runtime: Any) -> None:
    asked = runtime(["CPUExecutionProvider"])
    load_network(path, "n", CPU)
    assert asked.options.intra_op_num_threads == torch.get_num_threads()
    assert asked.asked["entries"] == {
        "session.intra_op.allow_spinning": "0",
        "session.inter_op.allow_spinning": "0",
    }
    assert asked.asked["data"] == path.read_bytes()


def test_device_selects_the_provider(path: Path, runtime: Any) -> None:
    asked = runtime(["CUDAExecutionProvider", "CPUExecutionProvider"])
    load_network(path, "n", torch.device("cuda:1"))
    assert asked.asked["providers"] == [("CUDAExecutionProvider", {"device_id": "1"})]


def test_a_missing_provider_is_no_fallback(path: Path, runtime: Any) -> None:
    runtime(["CPUExecutionProvider"])
    with pytest.raises(VoicegraphError, match=r"onnxruntime 9\.0 cannot: it runs on CPU") as error:
        load_network(path, "content", torch.device("cuda"))
    assert "pip install onnxruntime-gpu" in str(error.value)
    assert "--set nodes.content.device=cpu" in str(error.value)


def test_a_provider_that_does_not_start_is_no_fallback(path: Path, runtime: Any) -> None:
    runtime(["CUDAExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"])
    with pytest.raises(VoicegraphError, match="could not start its CUDAExecutionProvider"):
        load_network(path, "content", torch.device("cuda"))


def test_without_the_package_the_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PipelineError, match=r"content\.onnx needs onnxruntime.*extra `onnx`"):
        check_runtime("content.onnx")


def test_what_the_runtime_refuses_is_a_sentence(tmp_path: Path) -> None:
    graph = builder.graph(
        [builder.operator("NoSuchOperator", ["x"], ["y"])],
        [builder.value("x", "float32", [1])],
        [builder.value("y", "float32", [1])],
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(builder.model(graph))
    with pytest.raises(WeightsError, match=r"m\.onnx: ONNX Runtime refuses it: .*NoSuchOperator"):
        load_network(path, "n", CPU)


def test_wrong_inputs_are_a_sentence(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    network = load_network(path, "n", CPU)
    with pytest.raises(WeightsError, match=r"ONNX Runtime refuses it: Invalid rank for input: x"):
        network.run({"x": np.ones(3, np.float32)}, ["y"])
    assert capfd.readouterr().err == ""


def test_more_random_numbers_than_were_tried_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = builder.graph(
        [builder.operator("RandomNormalLike", ["x"], ["y"], {"dtype": 1})],
        [builder.value("x", "float32", ["n"])],
        [builder.value("y", "float32", ["n"])],
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(builder.model(graph))
    monkeypatch.setattr(onnx_session, "_ZEROS", 2)
    network = load_network(path, "n", CPU)
    assert network.drawn_shapes({"x": np.zeros(100, np.float32)}) == ((100,),)
    drawn = network.drawn_once({"x": np.zeros(5, np.float32)}, 1, "n")
    (found,) = network.run(drawn, ["y"])
    np.testing.assert_array_equal(found, drawn["random_0"])
