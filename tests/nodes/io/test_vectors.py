"""``io.vectors``."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import FLOAT32, assert_close

test_conformance = conformance.suite("io.vectors")


def _made(streams: int = 1, blocks: int = 50, rate: int = 100, dim: int = 16) -> np.ndarray:
    nodes = {"vectors": node("io.vectors", rate=rate, dim=dim)}
    silence = np.zeros((streams, 1, 4800), np.float32)
    with Pipeline(block="100ms", nodes=nodes, output="vectors").session(streams) as session:
        return np.concatenate([session.process(silence) for _ in range(blocks)], 1)


def test_vectors_are_smooth_and_spread_like_normal_values() -> None:
    found = _made(dim=64)[0]
    assert found.shape == (500, 64)
    points = found[::5]  # the 50 ms grid itself
    assert abs(points.mean()) < 0.05
    assert points.std() == pytest.approx(1.0, rel=0.05)
    steps = np.abs(np.diff(found, axis=0))
    jumps = np.abs(np.diff(points, axis=0))
    assert steps.max() < 0.4 * jumps.max()  # a raised cosine moves at most 31 % in a fifth


def test_dimensions_and_streams_differ_and_one_is_stream_zero() -> None:
    many = _made(streams=2)
    assert np.array_equal(_made()[0], many[0])
    rows = np.concatenate([many[0].T, many[1].T])
    assert np.abs(np.corrcoef(rows) - np.eye(32)).max() < 0.5


def test_the_same_values_at_another_rate() -> None:
    assert_close(_made(rate=1000)[:, ::10], _made(), FLOAT32)


def test_dim_is_checked() -> None:
    with pytest.raises(PipelineError, match="dim is 0"):
        _made(dim=0)
