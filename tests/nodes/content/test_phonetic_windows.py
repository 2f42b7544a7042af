"""Sliding windows over audio that is all there: the same as the running node makes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.content._phonetic_example import SIZES, tensors, write
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_windows import frames_of, sliding, whole

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric


def _network() -> PhoneticNetwork:
    made = PhoneticNetwork(SIZES).eval().requires_grad_(False)
    made.load_state_dict(tensors())
    return made


NETWORK = _network()


def _noise(samples: int) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(5)) * 0.1


@pytest.mark.parametrize(("block", "lookahead"), [("40ms", "100ms"), ("100ms", "60ms")])
def test_node_makes_the_same_block_by_block(tmp_path: Path, block: str, lookahead: str) -> None:
    write(tmp_path / "encoder.safetensors")
    params = {"weights": tmp_path / "encoder.safetensors", "lookahead": lookahead}
    params |= {"context": "310ms", "layer": 2}
    node = {"use": "content.phonetic", "in": "input", "params": params}
    pipeline = Pipeline(block=block, input={"rate": 16000}, nodes={"c": node}, output="c")
    audio = _noise(16000)
    plan = pipeline.compile()
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio.numpy()), session.flush()])
    times = [Fraction(int(t[:-2]), 1000) for t in (block, "310ms", lookahead)]
    first = -plan.latency_out % int(times[0] * 50)
    expected = sliding(NETWORK, audio, 2, *times, first=first)
    found = found[plan.latency_out :][: len(expected)]
    assert_close(found, expected[: len(found)], SMALL_NETWORK)
    assert len(found) >= 50


@given(
    samples=st.integers(201, 6000),
    count=st.integers(1, 6),
    first=st.integers(0, 5),
    before=st.integers(1, 8),
)
@settings(max_examples=25, deadline=None)
def test_as_many_frames_as_the_whole(samples: int, count: int, first: int, before: int) -> None:
    times = Fraction(count, 50), Fraction(before, 50), Fraction(3, 100)
    audio = _noise(samples)
    found = sliding(NETWORK, audio, 1, *times, first=first % count)
    assert found.shape == whole(NETWORK, audio, 1).shape


def test_all_context_is_the_whole() -> None:
    """Windows that hold everything see everything, and silence around it."""
    audio = _noise(8000)
    second = torch.zeros(16000)
    embedded = whole(NETWORK, torch.cat([second, audio, second]), 3)[50:76]
    one = Fraction(1)
    found = sliding(NETWORK, audio, 3, Fraction(26, 50), one, one - Fraction(1, 50))
    # The window ends 20 ms earlier here.
    torch.testing.assert_close(found, embedded, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(("block", "first"), [("1/30", 0), ("0", 0), ("1/10", 5), ("1/10", -1)])
def test_what_cannot_be(block: str, first: int) -> None:
    with pytest.raises(ValueError, match=r"whole number|not among 0 to 4"):
        sliding(NETWORK, _noise(8000), 1, Fraction(block), Fraction(1), Fraction(0), first)


def test_context_is_rounded_up() -> None:
    assert [frames_of(Fraction(ms, 1000)) for ms in (0, 1, 20, 21, 2000)] == [0, 1, 1, 2, 100]
