"""``io.noise``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

test_conformance = conformance.suite("io.noise")


def _made(streams: int = 1, blocks: int = 100, seed: int = 0, **params: Any) -> np.ndarray:
    nodes = {"noise": node("io.noise", **params)}
    silence = np.zeros((streams, 1, 480), np.float32)
    with Pipeline(block="10ms", nodes=nodes, output="noise", seed=seed).session(streams) as session:
        return np.concatenate([session.process(silence) for _ in range(blocks)], axis=2)


def test_noise_is_white_and_at_its_level() -> None:
    found = _made(level=-20.0)[0, 0]
    assert np.sqrt(np.mean(found**2)) == pytest.approx(0.1, rel=0.02)
    assert abs(found.mean()) < 0.002
    power = np.abs(np.fft.rfft(found)) ** 2
    bands = power[:24000].reshape(8, -1).mean(1)
    assert np.abs(bands / bands.mean() - 1).max() < 0.1


def test_streams_channels_and_seeds_differ() -> None:
    found = _made(streams=2, blocks=10, channels=2).reshape(4, -1)
    other = _made(blocks=10, seed=1)[0]
    rows = np.concatenate([found, other])
    assert np.abs(np.corrcoef(rows) - np.eye(5)).max() < 0.05


def test_one_stream_is_stream_zero_of_many() -> None:
    assert np.array_equal(_made(1, 5)[0], _made(3, 5)[0])


def test_noise_belongs_to_a_time_whatever_the_latency() -> None:
    """Beside a branch with latency the source waits: its first sample is at time zero."""
    nodes = {
        "noise": node("io.noise"),
        "down": node("dsp.resample", "input", rate=16000),
        "up": node("dsp.resample", "down", rate=48000),
        "mix": node("dsp.mix", {"noise": "noise", "late": "up"}, gains={"noise": 0.0, "late": 0.0}),
    }
    plan = Pipeline(block="10ms", nodes=nodes, output="mix").compile()
    assert plan.latency_out > 480
    with plan.session() as session:
        found = session.push(np.zeros(4800, np.float32))
    assert np.abs(found[: plan.latency_out]).max() == 0
    expected = _made(blocks=10)[0, 0]
    assert np.array_equal(found[plan.latency_out :], expected[: 4800 - plan.latency_out])


def test_level_is_checked() -> None:
    with pytest.raises(PipelineError, match="level is 1"):
        _made(level=1.0)
