"""``dsp.mix``."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import FLOAT32, SAMPLES, assert_close

test_conformance = conformance.suite("dsp.mix")

RNG = np.random.default_rng(6)


def _session(gains: dict[str, float], streams: int = 1):
    """Mixes the input, once as it is and once upside down but a block late."""
    nodes = {
        "late": node("dsp.delay", "input", time="10ms"),
        "mix": node("dsp.mix", {"now": "input", "before": "late"}, gains=gains),
    }
    return Pipeline(block="10ms", nodes=nodes, output="mix").session(streams)


def test_sum_of_the_inputs_at_their_gains() -> None:
    first, second = RNG.standard_normal((2, 480)).astype(np.float32)
    with _session({"now": 0.0, "before": -20.0}) as session:
        session.process(first)
        found = session.process(second)
    assert_close(found, second + 0.1 * first, SAMPLES)


def test_inputs_are_matched_by_name() -> None:
    first, second = RNG.standard_normal((2, 480)).astype(np.float32)
    with _session({"before": -20.0, "now": 0.0}) as session:
        session.process(first)
        found = session.process(second)
    assert_close(found, second + 0.1 * first, SAMPLES)


def test_one_input_at_unity_passes_bit_for_bit() -> None:
    audio = RNG.standard_normal(480).astype(np.float32)
    nodes = {"mix": node("dsp.mix", "input", gains={"only": 0.0})}
    with Pipeline(block="10ms", nodes=nodes, output="mix").session() as session:
        assert np.array_equal(session.process(audio), audio)


def test_changes_glide_and_streams_may_differ() -> None:
    ones = np.ones((2, 1, 480), np.float32)
    with _session({"now": 0.0, "before": 0.0}, streams=2) as session:
        for _ in range(2):
            session.process(ones)
        session.set("mix.gains", {"now": 0.0, "before": -20.0}, stream=1)
        found = np.concatenate([session.process(ones) for _ in range(20)], axis=2)
    assert (found[0] == 2.0).all()
    assert np.abs(np.diff(found[1])).max() < 0.9 / (0.004 * 48000)
    assert_close(found[1, 0, -1], 1.1, FLOAT32)


def test_inputs_stay_while_it_runs() -> None:
    with _session({"now": 0.0, "before": 0.0}) as session:
        for gains in ({"now": 0.0}, {"now": 0.0, "other": 0.0}, {}):
            with pytest.raises(StateError, match=r"mix\.gains cannot be"):
                session.set("mix.gains", gains)
        with pytest.raises(StateError, match="the inputs are now, before and stay so"):
            session.set("mix.gains", {"now": 0.0})
        session.process(np.zeros(480, np.float32))  # nothing of it was taken


def test_inputs_must_be_alike() -> None:
    nodes = {
        "low": node("dsp.resample", "input", rate=16000),
        "mix": node("dsp.mix", {"a": "input", "b": "low"}, gains={"a": 0.0, "b": 0.0}),
    }
    with pytest.raises(PipelineError, match="same type as its `a`"):
        Pipeline(block="10ms", nodes=nodes, output="mix").compile()


@pytest.mark.parametrize(
    ("gains", "message"),
    [
        ({}, "expected at least 1"),
        ({"loud": 61.0}, "expected at most 60"),
        ({"Not a name": 0.0}, "cannot be a name"),
    ],
)
def test_gains_are_checked(gains: dict[str, float], message: str) -> None:
    nodes = {"mix": node("dsp.mix", dict.fromkeys(gains, "input"), gains=gains)}
    with pytest.raises(PipelineError, match=message):
        Pipeline(block="10ms", nodes=nodes, output="mix").compile()


def test_an_input_without_a_gain_is_unknown() -> None:
    nodes = {"mix": node("dsp.mix", {"a": "input", "b": "input"}, gains={"a": 0.0})}
    with pytest.raises(PipelineError, match="has no input `b`"):
        Pipeline(block="10ms", nodes=nodes, output="mix").compile()
