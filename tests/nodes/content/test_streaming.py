"""The node: its stream, where it begins, latency, identity, and what is said when it is wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.content._phonetic_example import write
from voicegraph.nodes.content.phonetic_file import load_phonetic
from voicegraph.nodes.content.phonetic_frames import FRAMES_HZ
from voicegraph.nodes.content.phonetic_stream import AHEAD, PAST, SETTLE, PhoneticStream
from voicegraph.nodes.content.streaming import StreamingParams

from ...tolerance import EXPORTED, SMALL_NETWORK, assert_close
from ..exported import differences, exported

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("content.streaming")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder") / "encoder.safetensors"
    write(path)
    return path


def _pipeline(
    weights: Path | None, block: str = "100ms", use: str = "content.streaming", **params: Any
) -> Pipeline:
    return Pipeline(
        block=block,
        assets={"phonetic": weights},
        input={"rate": 16000},
        nodes={"content": {"use": use, "in": "input", "params": params}},
        output="content",
    )


def _noise(samples: int = 16000) -> np.ndarray:
    made = np.random.default_rng(1).normal(0, 0.1, samples)
    return (made * np.linspace(0.1, 1, samples)).astype(np.float32)


def _features(pipeline: Pipeline, audio: np.ndarray, latency: Fraction = Fraction(0)) -> np.ndarray:
    """From the stream's first frame on."""
    plan = pipeline.compile(latency=latency)
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio), session.flush()])
    return found[plan.latency_out :]


@pytest.mark.parametrize(("block", "lookahead"), [("20ms", 50), ("300ms", 10), ("40ms", 70)])
def test_node_is_the_stream(encoder: Path, block: str, lookahead: int) -> None:
    audio = _noise()
    params = {"lookahead": f"{lookahead}ms", "context": "210ms", "settle": "100ms"}
    found = _features(_pipeline(encoder, block, **params), audio)
    stream = PhoneticStream(load_phonetic(encoder), 3, 11, 5, (lookahead + 10) // 20)
    expected = stream.whole(torch.from_numpy(audio)).numpy()[: len(found)]
    assert len(expected) >= 50
    assert_close(found[: len(expected)], expected, SMALL_NETWORK)


def test_a_stream_begins_where_it_begins_however_far_others_look_ahead(encoder: Path) -> None:
    audio = _noise(8000)
    expected = _features(_pipeline(encoder, "40ms"), audio)[:20]
    late = _features(_pipeline(encoder, "40ms"), audio, Fraction(3, 10))[:20]
    assert_close(late, expected, SMALL_NETWORK)


def test_before_the_stream_there_is_silence(encoder: Path) -> None:
    with _pipeline(encoder, "40ms").compile(latency=Fraction(1, 2)).session(warm_up=False) as run:
        found = run.push(_noise())
    assert_close(found[1:21], found[:1].repeat(20, 0), SMALL_NETWORK)
    assert np.abs(found[30] - found[0]).max() > 0.1


@pytest.mark.parametrize("lookahead", [10, 30, 50, 150])
def test_latency_is_the_lookahead_in_whole_frames(encoder: Path, lookahead: int) -> None:
    plan = _pipeline(encoder, lookahead=f"{lookahead}ms").compile()
    assert plan.latency.algorithmic * 1000 == lookahead + 10
    assert plan.find("content").given["audio"].interval.end * 1000 == -10


def test_type_and_identity(encoder: Path) -> None:
    made, windowed = (
        _pipeline(encoder, use=use, layer=2).compile().output_type
        for use in ("content.streaming", "content.phonetic")
    )
    assert str(made) == "features 50 Hz x16"
    assert made.origin is not None
    assert made.origin.facts["layer"] == 2
    assert made.origin.differs(windowed.origin) == ()


@pytest.mark.parametrize("block", ["20ms", "100ms"])
def test_later_audio_than_the_lookahead_is_not_heard(encoder: Path, block: str) -> None:
    """Of each frame, wherever in a block it lies."""
    audio = _noise()
    changed = audio.copy()
    changed[8000:] = 0  # at 500 ms: frame 21, at 420 ms, has heard all before 490 ms
    found = [_features(_pipeline(encoder, block), given) for given in (audio, changed)]
    same = np.abs(found[0] - found[1]).max(-1) < 1e-6
    assert same[:22].all()
    assert not same[22:].any()


@pytest.mark.parametrize(
    ("params", "says", "fix"),
    [
        ({"lookahead": "60ms"}, "whole frames of 20 ms, such as 50ms or 70ms", "lookahead: 50ms"),
        ({"lookahead": "0ms"}, "whole frames of 20 ms, such as 10ms\n", "lookahead: 10ms"),
        ({"settle": "50ms"}, "whole frames of 20 ms, such as 40ms or 60ms", "settle: 40ms"),
        (
            {"settle": "40ms"},
            "looks 50ms ahead, but after 40ms a frame is settled",
            "lookahead: 30ms\n       or nodes.content.params.settle: 60ms",
        ),
        ({"lookahead": "210ms"}, "after 200ms a frame is settled", "lookahead: 190ms"),
    ],
)
def test_times_that_are_no_steps(
    encoder: Path, params: dict[str, str], says: str, fix: str
) -> None:
    with pytest.raises(PipelineError) as caught:
        _pipeline(encoder, **params).compile()
    assert says in str(caught.value)
    assert f"nodes.content.params.{fix}" in str(caught.value)


def test_blocks_hold_whole_frames(encoder: Path) -> None:
    with pytest.raises(PipelineError, match="whole"):
        _pipeline(encoder, "50ms").compile()


def test_by_default_it_is_what_the_encoder_was_trained_for() -> None:
    params = StreamingParams.model_validate({})
    assert params.context * FRAMES_HZ == PAST
    assert params.settle * FRAMES_HZ == SETTLE
    assert (params.lookahead - Fraction(10, 1000)) * FRAMES_HZ == AHEAD - 1


@pytest.mark.parametrize(("block", "layer"), [("20ms", 3), ("200ms", 1)])
def test_export_is_the_stream_from_its_beginning_on(encoder: Path, block: str, layer: int) -> None:
    plan = _pipeline(encoder, block, layer=layer, context="210ms", settle="100ms").compile()
    found = differences(exported(plan, "content"), 40)
    assert_close(found, np.zeros(40), EXPORTED)
