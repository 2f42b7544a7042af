"""Devices of a plan that the machine has or lacks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import DeviceError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime._device_placement import place_nodes

Build = Callable[..., Pipeline]


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("no_cuda")
def test_every_node_on_a_missing_device_is_named(build: Build) -> None:
    nodes = {
        "a": {**node("test.both", {"one": "input"}), "device": "cuda"},
        "b": node("test.both", {"one": "a"}),
        "c": {**node("test.both", {"one": "b"}), "device": "cuda:1"},
    }
    plan = build(nodes).compile()  # a plan asks nothing of the machine
    with pytest.raises(DeviceError) as caught:
        plan.session()
    assert caught.value.exit_code == 5
    first, second = caught.value.problems
    assert first.code == second.code == "no-such-device"
    assert first.message.startswith("a is placed on cuda, but this machine has no CUDA or ROCm")
    assert second.message.startswith("c is placed on cuda:1, but")
    assert "--set nodes.a.device=cpu" in str(first.fix)
    assert "nodes.c.fallback: cpu" in str(second.fix)


@pytest.mark.usefixtures("no_cuda")
def test_fallback_is_used_and_noted(build: Build) -> None:
    entry = {**node("test.both", {"one": "input"}), "device": "cuda", "fallback": "cpu"}
    plan = build({"a": entry}).compile()
    assert plan.find("a").inputs["one"].copied  # as planned; the session says what became of it
    with plan.session(warm_up=False) as session:
        assert session.notes == [
            "a runs on cpu: this machine has no CUDA or ROCm device, or this torch was built "
            "without it, and its fallback is cpu"
        ]
        assert session.process(np.ones(12, np.float32)).tolist() == [1.0] * 12


@pytest.mark.usefixtures("no_cuda")
def test_snapshot_with_fallback_fits_other_machines(build: Build) -> None:
    """Names and shapes are those of the plan, not of where its nodes run today."""
    nodes = {
        "ahead": node("test.shift", "input", by=-7),
        "b": node("test.both", {"one": "input", "other": "ahead"}),
    }
    nodes["b"].update(device="cuda", fallback="cpu")
    with build(nodes).compile().session(warm_up=False) as session:
        assert "history/input.audio@cuda" in session.snapshot().tensors


def test_a_gpu_with_too_high_a_number(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    entry = {**node("test.both", {"one": "input"}), "device": "cuda:2"}
    with pytest.raises(DeviceError, match="has 2 CUDA or ROCm devices, numbered from cuda:0"):
        build({"a": entry}).compile().session()


@pytest.mark.parametrize(
    ("device", "platform"), [("mps", r"Metal \(mps\)"), ("xpu:1", r"Intel GPU \(xpu\)")]
)
def test_missing_devices_of_other_makers_are_named(
    build: Build, monkeypatch: pytest.MonkeyPatch, device: str, platform: str
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    entry = {**node("test.both", {"one": "input"}), "device": device}
    with pytest.raises(DeviceError, match=f"{device}, but this machine has no {platform} device"):
        build({"a": entry}).compile().session()


def test_other_devices_that_torch_has_are_taken(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "device_count", lambda: 2)
    nodes = {
        "a": {**node("test.both", {"one": "input"}), "device": "mps"},
        "b": {**node("test.both", {"one": "a"}), "device": "xpu:1"},
    }
    plan = build(nodes).compile()
    assert place_nodes(plan, []) == {"a": torch.device("mps"), "b": torch.device("xpu:1")}


def test_cpu_placement_adds_no_notes(build: Build) -> None:
    with build({"a": node("test.shift", "input")}).session(warm_up=False) as session:
        assert session.notes == []


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_values_travel_to_the_gpu_and_back(build: Build) -> None:
    nodes = {
        "past": node("test.around", "input", back=20),
        "gpu": {**node("test.both", {"one": "past", "other": "input"}), "device": "cuda"},
        "back": node("test.around", "gpu", back=20),
    }
    x = np.random.default_rng(8).integers(-9, 10, 240).astype(np.float32)
    with build(nodes).session() as session:
        found = session.push(x)
    nodes["gpu"].pop("device")
    with build(nodes).session() as session:
        np.testing.assert_array_equal(found, session.push(x))
