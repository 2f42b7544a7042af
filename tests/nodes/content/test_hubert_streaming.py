"""The node: its stream and its windows, where they begin, latency, and what is said when wrong."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.runtime.session import Session
from voicegraph.nodes.content._hubert_stream import HubertStream
from voicegraph.nodes.content._hubert_weights import assemble
from voicegraph.nodes.content.hubert_example import SIZES, tensors, write

from ...tolerance import EXPORTED, SMALL_NETWORK, assert_close
from ..exported import differences, exported

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("content.hubert_streaming", slow=("growth",))

RATE, FRAME = 16000, 320
NETWORK = assemble(tensors(), SIZES, 2, False)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder") / "encoder.safetensors"
    write(path)
    return path


def _pipeline(
    encoder: Path, block: str = "100ms", use: str = "content.hubert_streaming", **params: Any
) -> Pipeline:
    return Pipeline(
        block=block,
        assets={"hubert": encoder},
        input={"rate": RATE},
        nodes={"content": {"use": use, "in": "input", "params": {"layer": 2, **params}}},
        output="content",
    )


def _noise(samples: int = RATE) -> np.ndarray:
    made = np.random.default_rng(1).normal(0, 0.1, samples)
    return (made * np.linspace(0.1, 1, samples)).astype(np.float32)


def _features(pipeline: Pipeline, audio: np.ndarray, latency: Fraction = Fraction(0)) -> np.ndarray:
    """From the stream's first frame on; of a window the newest block."""
    plan = pipeline.compile(latency=latency)
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio), session.flush()])
    return found[plan.latency_out :]


def _node(session: Session) -> Any:
    """The running content node."""
    return session.engine.by_name["content"]


def _expected(
    audio: np.ndarray, new: int, past: int, again: int, late: int, behind: int
) -> np.ndarray:
    """Frames made in blocks of ``new``, the first of which holds ``late`` frames too few.

    Of each block those are taken that end ``behind`` before its newest frame.
    """
    stream = HubertStream(NETWORK, past, again, new, kept=new + behind)
    state = stream.begin(1, -late)
    sound = torch.from_numpy(np.pad(audio, (late * FRAME, 20 * FRAME)))[None]
    made = []
    for first in range(0, sound.shape[1] // FRAME - new, new):
        found = stream(sound[:, first * FRAME : (first + new) * FRAME + 80], state)
        made.append(found[0, -behind - new : -behind or None].clone())
    return torch.cat(made).numpy()[late + behind :]


@pytest.mark.parametrize("output", ["stream", "window"])
@pytest.mark.parametrize(("block", "lookahead"), [(5, 0), (2, 3), (12, 1)])
def test_node_is_the_stream(encoder: Path, output: str, block: int, lookahead: int) -> None:
    """The newest frame is the last but one, since the last one would hear 5 ms more."""
    audio = _noise()
    params = {"context": "210ms", "recompute": "80ms", "lookahead": f"{20 * lookahead}ms"}
    found = _features(_pipeline(encoder, f"{20 * block}ms", output=output, **params), audio)
    expected = _expected(audio, block, 11, 4, 1, lookahead)
    count = min(len(found), len(expected))
    assert count >= 49
    assert_close(found[:count], expected[:count], SMALL_NETWORK)


def test_everything_computed_again_is_what_a_window_gives(encoder: Path) -> None:
    audio = _noise()
    made = _pipeline(encoder, context="200ms", recompute=None).compile()
    node = made.find("content")
    with made.session(warm_up=False) as session:
        for block in np.split(audio, 10):
            found = session.process(block)
    ends = RATE + int(node.given["audio"].interval.end * RATE)
    window = torch.from_numpy(audio[ends - 15 * FRAME - 80 : ends])[None]
    assert_close(found, NETWORK(window)[0, -5:], SMALL_NETWORK)
    assert node.node.approximations(node.params) == ()


def test_newest_audio_changes_what_is_computed_again_and_nothing_older(encoder: Path) -> None:
    plan = _pipeline(encoder, recompute="60ms").compile()
    found = []
    for change in (1, 0):
        audio = _noise(6400)
        audio[-1600:] *= change
        with plan.session(warm_up=False) as session:
            session.push(audio)
            found.append(_node(session).state.features[0].clone())
    changed = (found[0] - found[1]).abs().amax(1) > 1e-4
    assert changed[-8:].all()
    assert not changed[:-8].any()


def test_a_stream_begins_where_it_begins_however_far_others_look_ahead(encoder: Path) -> None:
    """By whole blocks, since frames depend on which ones are new together."""
    audio = _noise(8000)
    pipeline = _pipeline(encoder, "40ms", output="stream", context="200ms")
    expected = _features(pipeline, audio)[:20]
    late = _features(pipeline, audio, Fraction(14, 100))[:20]
    assert_close(late, expected, SMALL_NETWORK)


@pytest.mark.parametrize("output", ["window", "stream"])
def test_before_the_stream_there_is_silence(encoder: Path, output: str) -> None:
    plan = _pipeline(encoder, "40ms", output=output).compile(latency=Fraction(1, 2))
    with plan.session(warm_up=False) as run:
        found = run.push(_noise())
    assert (found[:25] == found[0]).all()
    assert np.abs(found[26] - found[0]).max() > 0.1


@pytest.mark.parametrize("lookahead", [0, 20, 100])
def test_latency_is_the_lookahead_and_5_ms(encoder: Path, lookahead: int) -> None:
    plan = _pipeline(encoder, lookahead=f"{lookahead}ms").compile()
    assert plan.latency.algorithmic * 1000 == lookahead + 20  # in whole frames
    assert plan.find("content").given["audio"].interval.end * 1000 == -15


@pytest.mark.parametrize("output", ["window", "stream"])
def test_type_and_identity_are_those_of_the_window(encoder: Path, output: str) -> None:
    made = _pipeline(encoder, output=output).compile().output_type
    windowed = _pipeline(encoder, use="content.hubert").compile().output_type
    assert str(made) == f"features 50 Hz x{SIZES.hidden}"
    assert made.origin is not None
    assert made.origin.differs(windowed.origin) == ()


def test_weights_are_those_of_the_window(encoder: Path) -> None:
    """A swap between the two loads nothing."""
    first, second = (
        _pipeline(encoder, use=use).compile()
        for use in ("content.hubert", "content.hubert_streaming")
    )
    with first.session(warm_up=False) as one, second.session(warm_up=False) as two:
        assert _node(two).node._stream.network is _node(one).node.network


def test_remembering_is_told_as_an_approximation(encoder: Path) -> None:
    page = _pipeline(encoder).compile().explain()
    assert "nodes.content.params.recompute 240ms: frames more than 240ms before a block" in page
    assert "(off: --set nodes.content.params.recompute=null)" in page


@pytest.mark.parametrize(
    ("params", "says", "fix"),
    [
        ({"recompute": "50ms"}, "whole frames of 20 ms, such as 40ms or 60ms", "recompute: 60ms"),
        ({"lookahead": "5ms"}, "whole frames of 20 ms, such as 0s or 20ms", "lookahead: 20ms"),
        ({"output": "windows"}, "output is 'windows', expected window or stream", "output: window"),
        ({"context": "0ms"}, "context is 0s, expected at least 20ms", "context: 20ms"),
        ({"layer": 3}, "has 2 layers, and not layer 3", "layer: 2"),
    ],
)
def test_params_that_do_not_fit(encoder: Path, params: dict[str, Any], says: str, fix: str) -> None:
    with pytest.raises(PipelineError) as caught:
        _pipeline(encoder, **params).compile()
    assert says in str(caught.value)
    assert f"nodes.content.params.{fix}" in str(caught.value)


def test_blocks_hold_whole_frames(encoder: Path) -> None:
    for output in ("window", "stream"):
        with pytest.raises(PipelineError, match="whole"):
            _pipeline(encoder, "50ms", output=output).compile()


def test_frames_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    sizes = dataclasses.replace(SIZES, kernels=(5, 2, 2, 2, 2, 1, 1))
    write(tmp_path / "gaps.safetensors", sizes)
    with pytest.raises(PipelineError, match="less than the 320 to the next") as caught:
        _pipeline(tmp_path / "gaps.safetensors").compile()
    assert "nodes.content.use: content.hubert" in str(caught.value)


@pytest.mark.parametrize(
    "params",
    [
        {"context": "300ms", "recompute": "40ms", "lookahead": "60ms"},
        {"context": "110ms", "recompute": "240ms", "output": "stream", "project": True, "layer": 1},
        {"context": "300ms", "recompute": None},
    ],
    ids=["window", "stream", "whole"],
)
def test_export_is_the_stream_from_its_beginning_on(encoder: Path, params: dict[str, Any]) -> None:
    plan = _pipeline(encoder, "40ms", **params).compile(latency=Fraction(1, 10))
    found = differences(exported(plan, "content"), 30)
    assert_close(found, np.zeros(30), EXPORTED)
