"""The node: spans, latency, identity, and what is said when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.content._phonetic_example import SIZES, tensors, write
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("content.phonetic")

SHIPPED = Path(__file__).resolve().parents[3] / "pipelines" / "models" / "phonetic.safetensors"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    write(tmp_path / "encoder.safetensors")
    return tmp_path / "encoder.safetensors"


def _pipeline(weights: Path | None, block: str = "100ms", **params: Any) -> Pipeline:
    return Pipeline(
        block=block,
        assets={"phonetic": weights},
        input={"rate": 16000},
        nodes={"content": {"use": "content.phonetic", "in": "input", "params": params}},
        output="content",
    )


@pytest.mark.parametrize("lookahead", [0, 60, 100])
def test_latency_is_the_lookahead(encoder: Path, lookahead: int) -> None:
    plan = _pipeline(encoder, lookahead=f"{lookahead}ms").compile()
    assert plan.latency.algorithmic * 1000 == lookahead


def _windowed(audio: np.ndarray, block: int, before: int, ahead: int, first: int) -> np.ndarray:
    """Features in blocks of ``block`` frames that begin at frame ``first``, a window for each.

    A window reaches from ``before`` frames before its block to ``ahead`` samples after it.
    """
    network = PhoneticNetwork(SIZES).eval().requires_grad_(False)
    network.load_state_dict(tensors())
    padded = np.pad(audio, ((before + block) * 320, block * 320 + ahead))
    made = []
    for start in range(first - block, len(audio) // 320, block):
        begin = (start + block) * 320
        window = padded[begin : begin + (before + block) * 320 + ahead]
        made.append(network(torch.from_numpy(window)[None], 2, before, block)[0].numpy())
    return np.concatenate(made)[block - first :]


@pytest.mark.parametrize(("block", "lookahead"), [(40, 100), (100, 60)])
def test_each_block_is_made_from_its_window(encoder: Path, block: int, lookahead: int) -> None:
    times = {"context": "310ms", "lookahead": f"{lookahead}ms"}
    plan = _pipeline(encoder, f"{block}ms", layer=2, **times).compile()
    audio = np.random.default_rng(5).normal(0, 0.1, 16000).astype(np.float32)
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio), session.flush()])[plan.latency_out :]
    frames = block // 20
    expected = _windowed(audio, frames, 16, 16 * lookahead, -plan.latency_out % frames)
    assert_close(found[:50], expected[:50], SMALL_NETWORK)


def test_type_and_identity(encoder: Path) -> None:
    made = _pipeline(SHIPPED).compile().output_type
    assert str(made) == "features 50 Hz x144"
    assert made.origin is not None
    assert made.origin.facts["layer"] == 3
    assert made.origin.title == "voicegraph phonetic 1"
    other = _pipeline(encoder, layer=2).compile().output_type.origin
    assert made.origin.differs(other) == ("fingerprint", "layer")


def test_later_audio_than_the_lookahead_is_not_heard(encoder: Path) -> None:
    audio = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)
    changed = audio.copy()
    changed[8000:] = 0
    found = []
    for given in (audio, changed):
        with _pipeline(encoder, "40ms", context="200ms").session(warm_up=False) as session:
            found.append(session.push(given))
    same = np.abs(found[0] - found[1]).max(-1) == 0
    # Blocks that had all they hear before 500 ms: the last of them ended at 480 ms.
    assert same[:24].all()
    assert not same[24:].any()


@pytest.mark.parametrize("block", ["50ms", "10ms"])
def test_blocks_hold_whole_frames(encoder: Path, block: str) -> None:
    with pytest.raises(PipelineError, match="whole"):
        _pipeline(encoder, block).compile()
