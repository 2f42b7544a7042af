"""The node: spans, sharing of weights, and what is said when something is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.intervals import Request
from voicegraph.graph.node import Node, NodeParams, Requests
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Features
from voicegraph.nodes.content._hubert_weights import build_hubert
from voicegraph.nodes.content.encoder_file import open_encoder
from voicegraph.nodes.content.hubert_example import SIZES, tensors, write
from voicegraph.schemas.quantities import Duration

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("content.hubert", slow=("growth",))

RATE = 16000


class LookBack(Node):
    """Asks for a window that ends with the block."""

    class Params(NodeParams):
        window: Duration = Fraction(1)
        dim: int = SIZES.hidden

    pure = True
    content = In(Features, dim=SIZES.hidden)
    out = Out(Features, like="content", window=True)

    def needs(self, params: Params, out: Request) -> Requests:
        return {"content": out.widen(before=params.window - out.interval.duration)}

    def process(self, inputs: Any, params: Params, state: None) -> Any:
        given, asked = self.given["content"], self.asked["out"]
        start = given.index(asked.interval.start)
        return {"out": inputs["content"].narrow(1, start, asked.count)}


@pytest.fixture(autouse=True)
def _look_back() -> Iterator[None]:
    with registry.isolated({"test.look_back": LookBack}):
        yield


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    path = tmp_path / "encoder.safetensors"
    write(path)
    return path


def _pipeline(window: str = "1s", block: str = "100ms", **params: Any) -> Pipeline:
    return Pipeline(
        block=block,
        input={"rate": RATE},
        nodes={
            "content": {"use": "content.hubert", "in": "input", "params": params},
            "use": {"use": "test.look_back", "in": "content", "params": {"window": window}},
        },
        output="use",
    )


def _refused(pipeline: Pipeline) -> str:
    with pytest.raises(PipelineError) as caught:
        pipeline.compile()
    return str(caught.value)


def _expected(path: Path, audio: np.ndarray) -> np.ndarray:
    """Every frame that 25 ms of audio are there for, and the last one once more."""
    made = build_hubert(open_encoder(path), 2, False)(torch.from_numpy(audio)[None])[0]
    return torch.cat([made, made[-1:]]).numpy()


def _content(plan: Plan) -> Any:
    return plan.find("content").node


@pytest.mark.parametrize("window", [100, 110, 120, 500, 1310, 2810])
def test_frames_of_a_window(window: int, encoder: Path) -> None:
    plan = _pipeline(f"{window}ms", weights=str(encoder), layer=2).compile()
    node = _content(plan)
    samples = window * RATE // 1000
    assert node.given["audio"].count == samples
    assert node.asked["content"].count == -(-samples // 320) == (samples - 400) // 320 + 2
    assert plan.latency.algorithmic == 0


@pytest.mark.parametrize(("window", "newest"), [(300, 10), (310, 10), (1310, 60)])
def test_a_window_is_encoded_as_it_is(window: int, newest: int, encoder: Path) -> None:
    """What was before the session is zeros; frame 10 is the first that begins in the block, or,
    in a window of half a frame more, the one that the block begins in."""
    audio = np.random.default_rng(2).standard_normal(RATE).astype(np.float32) * 0.1
    pipeline = _pipeline(f"{window}ms", weights=str(encoder), layer=2)
    with pipeline.session() as session:
        made = [session.process(audio[i : i + 1600]) for i in range(0, RATE, 1600)]
    count = window * 16
    padded = np.concatenate([np.zeros(count - 1600, np.float32), audio])
    for i, found in enumerate(made):
        expected = _expected(encoder, padded[1600 * i : 1600 * i + count])
        assert_close(found, expected[newest : newest + 5], SMALL_NETWORK)


def test_windows_that_are_no_whole_steps_are_widened(encoder: Path) -> None:
    node = _content(_pipeline("123ms", weights=str(encoder), layer=2).compile())
    assert node.given["audio"].count == 2080
    assert node.asked["content"].count == 7


def test_windows_too_short_for_a_frame_are_widened(encoder: Path) -> None:
    node = _content(_pipeline("20ms", "20ms", weights=str(encoder), layer=2).compile())
    assert node.given["audio"].count == 480
    assert node.asked["content"].count == 2


def test_weights_are_there_once(encoder: Path) -> None:
    pipeline = _pipeline(weights=str(encoder), layer=2)
    other = _pipeline(weights=str(encoder), layer=1)
    with pipeline.session(), pipeline.session(3), other.session():
        pass
    plans = [pipeline.compile(), pipeline.compile(), other.compile()]
    nodes = [_content(plan) for plan in plans]
    for node, layer in zip(nodes, (2, 2, 1), strict=True):
        params = node.Params(weights=encoder, layer=layer)
        node.load(params, torch.device("cpu"), torch.float32)
    assert nodes[0].network is nodes[1].network
    assert nodes[0].network is not nodes[2].network


def test_projection_decides_the_width(encoder: Path) -> None:
    plan = Pipeline(
        block="100ms",
        input={"rate": RATE},
        assets={"hubert": str(encoder)},
        nodes={
            "content": {
                "use": "content.hubert",
                "in": "input",
                "params": {"layer": 1, "project": True},
            },
        },
        output="content",
    ).compile()
    assert plan.output_type == Features(Fraction(50), 8)


def test_without_a_file(encoder: Path) -> None:
    message = _refused(_pipeline())
    assert "content: needs the file of a content encoder" in message
    assert "fix: --set assets.hubert=PATH" in message


def test_more_layers_than_there_are(encoder: Path) -> None:
    message = _refused(_pipeline(weights=str(encoder)))
    assert f"{encoder} has 2 layers, and not layer 12" in message
    assert "fix: nodes.content.params.layer: 2" in message


def test_a_projection_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    write(path, dataclasses.replace(SIZES, projection=None))
    message = _refused(_pipeline(weights=str(path), layer=2, project=True))
    assert "has no final projection, which `project` asks for" in message
    assert "nodes.content.params.project: false" in message


def test_a_width_that_does_not_fit(encoder: Path) -> None:
    message = _refused(_pipeline(weights=str(encoder), layer=1, project=True))
    assert "content feeds use, which takes 32 dimensions, but gives 8 dimensions" in message


def test_an_index_is_told_as_one(tmp_path: Path) -> None:
    index = faiss.IndexFlatL2(8)
    index.add(np.eye(8, dtype=np.float32))  # pyright: ignore[reportCallIssue]
    path = tmp_path / "added.index"
    faiss.write_index(index, str(path))
    message = _refused(_pipeline(weights=str(path)))
    assert f"{path} is a retrieval index, but a content encoder" in message
    assert "fix: assets.hubert: " in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    message = _refused(_pipeline(weights=str(tmp_path / "hubert.pt")))
    assert "there is no such file" in message


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_leaves_as_float32(dtype: str, encoder: Path) -> None:
    pipeline = Pipeline(
        block="100ms",
        input={"rate": RATE},
        nodes={
            "content": {
                "use": "content.hubert",
                "in": "input",
                "params": {"weights": str(encoder), "layer": 2},
                "dtype": dtype,
            }
        },
        output="content",
    )
    with pipeline.session() as session:
        found = session.process(np.ones(1600, np.float32))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_example_is_what_its_tensors_are(encoder: Path) -> None:
    read = open_encoder(encoder).read(2, True)
    assert read.keys() == tensors().keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors().items())
