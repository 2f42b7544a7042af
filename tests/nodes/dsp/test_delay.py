"""``dsp.delay``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import FLOAT32, SAMPLES, assert_close

test_conformance = conformance.suite("dsp.delay")

RNG = np.random.default_rng(5)


def _plan(rate: int = 48000, block: str = "10ms", **params: Any):
    nodes = {"late": node("dsp.delay", "input", **params)}
    return Pipeline(block=block, input={"rate": rate}, nodes=nodes, output="late").compile()


@pytest.mark.parametrize(
    ("time", "samples"), [("0ms", 0), ("1ms", 48), ("10ms", 480), ("137ms", 6576), ("15us", 1)]
)
def test_sound_comes_later_bit_for_bit(time: str, samples: int) -> None:
    audio = RNG.standard_normal(9600).astype(np.float32)
    plan = _plan(time=time)
    assert plan.latency.algorithmic == 0  # late on purpose is no latency
    with plan.session() as session:
        found = session.push(audio)
    assert np.array_equal(found[:samples], np.zeros(samples))
    assert np.array_equal(found[samples:], audio[: 9600 - samples])


def test_time_is_rounded_to_the_nearest_sample() -> None:
    audio = RNG.standard_normal(441).astype(np.float32)
    with _plan(44100, time="2.5ms").session() as session:  # 110.25 samples
        assert np.array_equal(session.process(audio)[110:], audio[:331])


def test_gain_scales_and_glides() -> None:
    with _plan(time="10ms", gain=-20.0).session() as session:
        for _ in range(2):
            found = session.process(np.ones(480, np.float32))
        assert_close(found, 0.1, FLOAT32)
        session.set("late.gain", 0.0)
        rising = np.concatenate([session.process(np.ones(480, np.float32)) for _ in range(20)])
    assert np.abs(np.diff(rising)).max() < 0.9 / (0.004 * 48000)
    assert rising[-1] == 1.0


@pytest.mark.parametrize("names", [("dry", "back"), ("back", "dry")])
@pytest.mark.parametrize(("time", "period"), [("10ms", 480), ("23.5ms", 1128), ("100ms", 4800)])
def test_echo_comes_back_and_fades(names: tuple[str, str], time: str, period: int) -> None:
    nodes = {
        "mix": node("dsp.mix", {"dry": "input", "back": "echo"}, gains=dict.fromkeys(names, 0.0)),
        "echo": node("dsp.delay", "mix", time=time, gain=-6.0),
    }
    audio = np.zeros(48000, np.float32)
    audio[100:140] = RNG.standard_normal(40)
    with Pipeline(block="10ms", nodes=nodes, output="mix").session() as session:
        found = session.push(audio)
    expected = audio.astype(np.float64)
    for i in range(period, 48000):
        expected[i] += 10 ** (-6 / 20) * expected[i - period]
    assert_close(found, expected, SAMPLES)


def test_a_loop_shorter_than_a_block_is_refused() -> None:
    nodes = {
        "mix": node("dsp.mix", {"dry": "input", "back": "echo"}, gains={"dry": 0.0, "back": 0.0}),
        "echo": node("dsp.delay", "mix", time="9ms", gain=-6.0),
    }
    with pytest.raises(PipelineError, match="time: 10ms"):
        Pipeline(block="10ms", nodes=nodes, output="mix").compile()


def test_time_is_checked() -> None:
    with pytest.raises(PipelineError, match="expected at least 0"):
        _plan(time="-1ms")
    with pytest.raises(PipelineError, match="needs a unit"):
        _plan(time=10)
