"""``io.contour``."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import TENTH_OF_A_CENT, assert_close

test_conformance = conformance.suite("io.contour")


def _made(streams: int = 1, blocks: int = 200, rate: int = 100) -> tuple[np.ndarray, np.ndarray]:
    nodes = {"contour": node("io.contour", rate=rate)}
    silence = np.zeros((streams, 1, 4800), np.float32)
    pitch, voiced = [], []
    with Pipeline(block="100ms", nodes=nodes, output="contour").session(streams) as session:
        for _ in range(blocks):
            pitch.append(session.process(silence, taps=["contour.voiced"]))
            voiced.append(session.taps["contour.voiced"])
    return np.concatenate(pitch, 1), np.concatenate(voiced, 1)


def test_contour_is_like_speech() -> None:
    pitch, voiced = _made(streams=4)
    assert np.array_equal(voiced > 0, pitch > 0)
    assert set(np.unique(voiced)) == {0.0, 1.0}
    assert (voiced.mean(1) > 0.5).all()
    assert (voiced.mean(1) < 0.8).all()
    assert pitch[pitch > 0].min() > 60
    assert pitch.max() < 340
    both = (voiced[:, 1:] * voiced[:, :-1]) > 0
    steps = 12 * np.abs(np.log2(np.maximum(pitch[:, 1:], 1) / np.maximum(pitch[:, :-1], 1)))
    assert steps[both].max() < 1.0  # semitones in 10 ms


def test_streams_differ_and_one_is_stream_zero() -> None:
    many, _ = _made(streams=3, blocks=20)
    alone, _ = _made(streams=1, blocks=20)
    assert np.array_equal(alone[0], many[0])
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(many[1], many[2])


def test_the_same_contour_at_another_rate() -> None:
    coarse, _ = _made(blocks=20)
    fine, _ = _made(blocks=20, rate=1000)
    assert_close(fine[:, ::10], coarse, TENTH_OF_A_CENT)


def test_rate_is_checked() -> None:
    with pytest.raises(PipelineError, match="must be above 0 Hz"):
        _made(rate=-5)
