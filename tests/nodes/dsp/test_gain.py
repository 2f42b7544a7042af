"""``dsp.gain``."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import FLOAT32, assert_close

test_conformance = conformance.suite("dsp.gain")


def _session(db: float, streams: int = 1):
    nodes = {"gain": node("dsp.gain", "input", db=db)}
    return Pipeline(block="10ms", nodes=nodes, output="gain").session(streams)


def test_gain_is_exact_at_rest() -> None:
    audio = np.linspace(-1, 1, 480, dtype=np.float32)
    with _session(-20.0) as session:
        assert_close(session.process(audio), audio * 0.1, FLOAT32)


def test_change_glides_and_arrives() -> None:
    audio = np.ones(480, np.float32)
    with _session(0.0) as session:
        session.process(audio)
        session.set("gain.db", -20.0)
        output = np.concatenate([session.process(audio) for _ in range(20)])
    assert output[0] < 1.0
    assert np.abs(np.diff(output)).max() < 0.9 / (0.004 * 48000)
    assert_close(output[-1], 0.1, FLOAT32)


def test_streams_may_differ() -> None:
    audio = np.ones((2, 1, 480), np.float32)
    with _session(0.0, streams=2) as session:
        session.set("gain.db", -20.0, stream=1)
        for _ in range(20):
            output = session.process(audio)
    assert output[0, 0, -1] == 1.0
    assert_close(output[1, 0, -1], 0.1, FLOAT32)


def test_range_is_checked() -> None:
    with pytest.raises(PipelineError, match="at most 60"):
        _session(61.0)
    with _session(0.0) as session, pytest.raises(StateError, match=r"gain\.db cannot be 61"):
        session.set("gain.db", 61)
