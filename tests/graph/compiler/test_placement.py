"""Devices and precisions: where a node can run, and where values are copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.graph.pipeline import Pipeline, node

from ...example_nodes import Both

Build = Callable[..., Pipeline]


def test_copies_between_devices_show_in_the_plan(build: Build) -> None:
    """Whether or not this machine has a GPU."""
    nodes = {
        "a": node("test.both", {"one": "input"}),
        "gpu": {
            **node("test.both", {"one": "a", "other": "a"}),
            "device": "cuda",
            "dtype": "float16",
        },
        "same": {**node("test.both", {"one": "gpu"}), "device": "cuda"},
        "other": {**node("test.both", {"one": "same"}), "device": "cuda:1"},
        "back": node("test.both", {"one": "other", "other": "a"}),
    }
    plan = build(nodes).compile()
    copied = {(n.name, port): link.copied for n in plan.nodes for port, link in n.inputs.items()}
    assert copied == {
        ("a", "one"): False,
        ("gpu", "one"): True,
        ("gpu", "other"): True,
        ("same", "one"): False,
        ("other", "one"): True,
        ("back", "one"): True,
        ("back", "other"): False,
    }
    assert (plan.find("gpu").device, plan.find("gpu").dtype) == ("cuda", "float16")


def test_unsupported_device_or_dtype_is_refused(refused: Any) -> None:
    error = refused(
        "block: 10ms\nnodes:\n"
        "  a: {use: test.total, in: input, device: 'cuda:1', dtype: float16}\n"
        "  b: {use: test.both, in: a, dtype: bfloat16}\noutput: b\n"
    )
    device, dtype, other = error.problems
    assert {p.code for p in error.problems} == {"cannot-place"}
    assert device.message == "a (test.total) runs on cpu, not on cuda:1"
    assert (device.mark.line, device.mark.column) == (3, 43)
    assert device.fix == "nodes.a.device: cpu"
    assert dtype.message == "a (test.total) computes in float32, not in float16"
    assert dtype.fix == "nodes.a.dtype: float32"
    assert other.message == "b (test.both) computes in float32 or float16, not in bfloat16"


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:3", "mps", "xpu", "xpu:1"])
def test_declared_cuda_covers_all_accelerators(build: Build, device: str) -> None:
    plan = build({"a": {**node("test.both", {"one": "input"}), "device": device}}).compile()
    assert plan.find("a").device == device


@pytest.mark.parametrize("device", ["mps:0", "gpu", "cuda:", "rocm", "cuda:x", "CUDA"])
def test_devices_that_torch_does_not_name(refused: Any, device: str) -> None:
    (problem,) = refused(
        f"block: 10ms\nnodes:\n  a: {{use: test.both, in: input, device: '{device}'}}\noutput: a\n"
    ).problems
    assert problem.message.startswith(f"nodes.a.device is '{device}', expected something like cpu")


def test_float64_is_refused_on_mps(refused: Any) -> None:
    text = "block: 10ms\nnodes:\n  a: {use: dsp.gain, in: input, device: DEVICE}\noutput: a\n"
    (problem,) = refused(text.replace("DEVICE", "mps")).problems
    assert problem.code == "cannot-place"
    assert problem.message == "a (dsp.gain) computes in float64, which mps does not support"
    assert problem.fix == "nodes.a.device: cpu"


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_node_chooses_its_precision_if_asked_to(build: Build, device: str) -> None:
    plan = build({"a": {**node("test.both", {"one": "input"}), "dtype": "auto", "device": device}})
    assert plan.compile().find("a").dtype == "auto"


def test_int8_is_refused_by_name_where_there_is_none(refused: Any) -> None:
    error = refused(
        "block: 10ms\nnodes:\n  a: {use: test.both, in: input, dtype: int8}\noutput: a\n"
    )
    (problem,) = error.problems
    assert problem.message == "a (test.both) computes in float32 or float16, not in int8"
    assert problem.fix == "nodes.a.dtype: float32"


def test_int8_is_for_the_cpu(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Both, "dtypes", ("float32", "int8"))
    error = refused(
        "block: 10ms\nnodes:\n"
        "  a: {use: test.both, in: input, dtype: int8, device: cuda}\noutput: a\n"
    )
    (problem,) = error.problems
    assert problem.message == "a (test.both) computes in int8 on cpu, not on cuda"
