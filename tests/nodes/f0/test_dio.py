"""``f0.dio``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.world import world_library

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("f0.dio", slow=("growth",))

RATE = 16000
BLOCK = 1600


def _glide(seconds: float = 1.2) -> tuple[np.ndarray, np.ndarray]:
    """A buzz from 100 to 200 Hz, and its F0 every 10 ms."""
    time = np.arange(round(seconds * RATE)) / RATE
    f0 = 100 * 2 ** (time / seconds)
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    parts = [np.cos(k * phase) / (1 + (k / 4) ** 2) for k in range(1, 15)]
    return (0.1 * np.sum(parts, 0)).astype(np.float32), f0[:: RATE // 100]


def _run(audio: np.ndarray, **params) -> np.ndarray:
    """F0 of all blocks, each with its default context."""
    keys = {"block": "100ms", "input": {"rate": RATE, "channels": 1}, "output": "f0"}
    pipeline = Pipeline(nodes={"f0": node("f0.dio", "input", **params)}, **keys)
    with pipeline.session(warm_up=False) as session:
        blocks = [session.process(audio[s : s + BLOCK]) for s in range(0, len(audio), BLOCK)]
    return np.concatenate(blocks)


def test_follows_a_glide() -> None:
    audio, f0 = _glide()
    found = _run(audio)
    inner = slice(40, 119)
    assert (found[inner] > 0).mean() > 0.8
    voiced = found[inner] > 0
    cents = 1200 * np.log2(found[inner][voiced] / f0[inner][voiced])
    assert np.median(np.abs(cents)) < 5


@pytest.mark.parametrize("refine", [False, True])
def test_frames_are_every_second_of_those_at_5_ms(refine: bool) -> None:
    audio, _ = _glide(0.4)
    found = _run(audio, refine=refine)[-10:]
    span = audio.astype(np.float64)  # the newest block and 300 ms before it
    expected, times = world_library.dio(span, RATE, 50.0, 1100.0, 5.0, 0.1)
    if refine:
        expected = world_library.refine(span, expected, times, RATE)
    np.testing.assert_array_equal(found, expected[60:80:2].astype(np.float32))
    assert found.any()


def test_a_span_too_short_for_dio_is_widened() -> None:
    nodes = {"f0": node("f0.dio", "input", context="0ms")}
    keys = {"block": "20ms", "input": {"rate": RATE, "channels": 1}, "output": "f0"}
    plan = Pipeline(nodes=nodes, **keys).compile()
    assert plan.find("f0").given["audio"].interval.duration == Fraction(300, 1000)
    assert plan.find("f0").asked["pitch"].count == 2


@pytest.mark.parametrize("level", [0.0, 1e-20])
def test_silence_is_unvoiced(level: float) -> None:
    assert not _run(np.full(4 * BLOCK, level, np.float32)).any()


def test_swaps_with_harvest_by_name() -> None:
    keys = {
        "block": "100ms",
        "input": {"rate": RATE, "channels": 1},
        "nodes": {"f0": node("f0.dio", "input"), "pitch": node("pitch.cache", "f0")},
        "output": "pitch",
    }
    other = {**keys, "nodes": {**keys["nodes"], "f0": node("f0.harvest", "input")}}
    one, two = (Pipeline(**k).compile().find("f0").asked for k in (keys, other))
    assert one == two
