"""``content.onnx``: which output is used, the same spans as ``content.hubert``, what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.app.reports.explain import explain
from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, WeightsError
from voicegraph.graph.export import export_network
from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.nodes.content import hubert_example
from voicegraph.nodes.content._onnx_example import encoder
from voicegraph.nodes.content.hubert import Hubert, HubertParams
from voicegraph.nodes.content.onnx import OnnxContent, OnnxContentParams
from voicegraph.nodes.synth import _onnx_example as voices

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("content.onnx", slow=("growth",))

Save = Callable[[str, bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return save


def _plan(path: Path, use: str = "content.onnx", **params: Any) -> Plan:
    nodes = {"content": {"use": use, "in": "input", "params": {"weights": str(path), **params}}}
    return Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="content").compile()


def _width(plan: Plan) -> int | None:
    return plan.find("content").node.output_types["content"].width


CONTENTVEC = {"units9": 256, "unit12": 768, "unit12s": 256}


def test_without_a_width_it_is_that_of_a_v2_voice(save: Save) -> None:
    assert _width(_plan(save("e.onnx", encoder("audio", CONTENTVEC)))) == 768


def test_the_width_selects_the_output(save: Save) -> None:
    plan = _plan(save("e.onnx", encoder("audio", CONTENTVEC)), width=256)
    assert _width(plan) == 256
    node = plan.find("content").node
    assert isinstance(node, OnnxContent)
    with plan.session():
        assert node._chosen == "units9"


def test_an_output_is_selected_by_name(save: Save) -> None:
    plan = _plan(save("e.onnx", encoder("audio", CONTENTVEC)), width=256, output="unit12s")
    with plan.session():
        assert plan.find("content").node._chosen == "unit12s"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_width_that_it_has_not_is_told_with_those_that_it_has(save: Save) -> None:
    path = save("e.onnx", encoder("source", {"embed": 768}, channels=True))
    with pytest.raises(PipelineError, match=r"no output of width 256.*embed of width 768") as error:
        _plan(path, width=256)
    assert "--set nodes.content.params.width=768" in str(error.value)


def test_the_voice_decides_the_width(save: Save) -> None:
    path = save("e.onnx", encoder("audio", CONTENTVEC))
    for width in (256, 768):
        naming = voices.Naming(width=width)
        voice = save("voice.onnx", voices.voice(naming))
        assert _width(_plan(path, voice=str(voice))) == width


def test_half_precision_is_converted_at_both_ends(save: Save) -> None:
    audio = np.random.default_rng(1).uniform(-0.5, 0.5, 16000).astype(np.float32)
    found = []
    for name, half in (("a", False), ("b", True)):
        path = save(f"{name}.onnx", encoder("audio", {"units": 5}, half=half))
        with _plan(path).session() as session:
            found.append(session.process(audio[:1600]))
    np.testing.assert_allclose(*found, atol=2e-2)  # of sums of 400 products in float16


def test_spans_are_those_of_the_node_for_weights(save: Save, tmp_path: Path) -> None:
    """So that latency and context do not change when one takes the place of the other."""
    hubert_example.write(tmp_path / "hubert.safetensors")
    ours, other = OnnxContent(), Hubert()
    mine = OnnxContentParams(weights=save("e.onnx", encoder("audio", {"units": 5})))
    its = HubertParams(weights=tmp_path / "hubert.safetensors", layer=1)
    for end in range(0, 50, 7):
        for length in (5, 20, 33, 280):
            span = Interval(Fraction(end - length, 1000), Fraction(end, 1000))
            request = Request(span, span)
            assert ours.gives(mine, request) == other.gives(its, request)


def test_an_encoder_with_other_frames_is_refused_before_it_is_heard(save: Save) -> None:
    """One every 10 ms, where 20 ms are expected."""
    kernel = np.ones((6, 1, 160), np.float32)
    graph = builder.graph(
        [
            builder.operator("Conv", ["source", "w"], ["made"], {"strides": [160]}),
            builder.operator("Transpose", ["made"], ["embed"], {"perm": [0, 2, 1]}),
        ],
        [builder.value("source", "float32", [1, 1, "n"])],
        [builder.value("embed", "float32", [1, "t", 6])],
        {"w": kernel},
    )
    plan = _plan(save("fast.onnx", builder.model(graph)))
    with pytest.raises(WeightsError, match="a frame less"):
        plan.session()


def test_a_length_that_does_not_vary_is_refused_in_a_sentence(save: Save) -> None:
    data = encoder("audio", {"units": 5}, samples=16000)
    with pytest.raises(WeightsError, match=r"ONNX Runtime refuses it: .*Expected: 16000"):
        _plan(save("fixed.onnx", data)).session()


def test_weights_in_the_wrong_node_are_told_the_other_node(save: Save, tmp_path: Path) -> None:
    network = save("e.onnx", encoder("audio", {"units": 5}))
    with pytest.raises(PipelineError, match=r"fix: --set nodes\.content\.use=content\.onnx"):
        _plan(network, use="content.hubert")
    hubert_example.write(tmp_path / "hubert.safetensors")
    with pytest.raises(PipelineError, match=r"--set nodes\.content\.use=content\.hubert"):
        _plan(tmp_path / "hubert.safetensors")


def test_another_network_is_told_by_what_it_takes(save: Save) -> None:
    with pytest.raises(PipelineError, match=r"RVC voice.*but a content encoder") as error:
        _plan(save("voice.onnx", voices.voice(voices.WOKADA)))
    assert "it takes feats float32 [1, frames, 8]" in str(error.value)


def test_what_stays_random_is_noted_in_explain(save: Save) -> None:
    kernel = np.ones((6, 1, 400), np.float32)
    graph = builder.graph(
        [
            builder.operator("Conv", ["source", "w"], ["made"], {"strides": [320]}),
            builder.operator("Sigmoid", ["made"], ["share"]),
            builder.operator("Bernoulli", ["share"], ["kept"]),
            builder.operator("Transpose", ["kept"], ["embed"], {"perm": [0, 2, 1]}),
        ],
        [builder.value("source", "float32", [1, 1, "n"])],
        [builder.value("embed", "float32", [1, "t", 6])],
        {"w": kernel},
    )
    text = explain(_plan(save("lots.onnx", builder.model(graph))))
    assert "not repeatable: lots.onnx draws random numbers itself (Bernoulli)" in " ".join(
        text.split()
    )


def test_two_sessions_share_one_network(save: Save) -> None:
    plan = _plan(save("e.onnx", encoder("audio", {"units": 5})))
    with plan.session() as one, plan.session() as other:
        nodes = [session.engine.by_name["content"].node for session in (one, other)]
        first, second = (node._network for node in nodes)  # pyright: ignore[reportAttributeAccessIssue]
        assert first is second


def test_a_file_replaced_during_a_session_changes_nothing(save: Save, tmp_path: Path) -> None:
    path = save("e.onnx", encoder("audio", {"units": 5}))
    audio = torch.linspace(-1, 1, 1600).numpy()
    with _plan(path).session() as session:
        expected = session.process(audio)
        session.reset()
        shutil.copy(save("other.onnx", bytes(64)), path)
        np.testing.assert_array_equal(session.process(audio), expected)


@pytest.mark.slow
def test_an_export_gives_the_features_of_the_node(tmp_path: Path) -> None:
    """And says which encoder it is, so that a voice can be compared with it."""
    pytest.importorskip("onnxscript")
    hubert_example.write(tmp_path / "hubert.safetensors")
    how = {"layer": 1, "project": True}
    plan = _plan(tmp_path / "hubert.safetensors", use="content.hubert", **how)
    export_network(plan, "content", tmp_path / "hubert.onnx")
    other = _plan(tmp_path / "hubert.onnx")
    origins = [made.find("content").node.output_types["content"].origin for made in (plan, other)]
    assert origins[0] is not None
    assert origins[0].facts == (origins[1].facts if origins[1] else None)
    audio = np.random.default_rng(1).uniform(-0.5, 0.5, 3200).astype(np.float32)
    with plan.session() as one, other.session() as two:
        assert_close(two.push(audio), one.push(audio), SMALL_NETWORK)
