"""``dsp.limiter``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.dsp.limiter import release_from, sliding_minimum

from ...tolerance import FLOAT32, SAMPLES, assert_close, decibels

pytestmark = pytest.mark.numeric

RAMP = decibels(1e-3, "float32 samples, whose logarithms are subtracted")

test_conformance = conformance.suite("dsp.limiter")

RATE = 8000
RNG = np.random.default_rng(11)


def _plan(block: str = "5ms", channels: int = 1, rate: int = RATE, **params: Any):
    nodes = {"limit": node("dsp.limiter", "input", **params)}
    given = {"rate": rate, "channels": channels}
    return Pipeline(block=block, input=given, nodes=nodes, output="limit").compile()


def _run(audio: np.ndarray, **params: Any) -> np.ndarray:
    plan = _plan(channels=audio.shape[0], **params)
    with plan.session(warm_up=False) as session:
        made = np.concatenate([session.push(audio), session.flush()], axis=1)
    return made[:, plan.latency_out :]


def _by_the_book(
    audio: np.ndarray, ceiling: float, ahead: int, release: float, rate: int
) -> np.ndarray:
    """The definition, sample by sample."""
    audio = audio.astype(np.float64)
    count = audio.shape[1]
    wanted = [
        min(0.0, ceiling - 20 * np.log10(max(np.abs(audio[:, n]).max(), 1e-30)))
        for n in range(count)
    ] + [0.0] * ahead
    held, last = [0.0] * ahead, 0.0
    for n in range(count):
        last = min(0.0, *wanted[n : n + ahead + 1], last + 10.0 / (release * rate))
        held.append(last)
    gain = [10 ** (np.mean(held[n : n + ahead + 1]) / 20) for n in range(count)]
    return audio * np.array(gain)


@pytest.mark.parametrize("lookahead", [0, 1, 7, 40])
@pytest.mark.parametrize("block", ["1ms", "5ms", "40ms"])
def test_vectors_do_what_the_definition_says(lookahead: int, block: str) -> None:
    audio = (RNG.standard_normal((2, 1200)) * np.repeat([0.05, 2.0, 0.3], 400)).astype(np.float32)
    found = _run(audio, block=block, ceiling=-6.0, release="50ms", lookahead=f"{lookahead * 125}us")
    expected = _by_the_book(audio, -6.0, lookahead, 0.05, RATE)
    assert_close(found, expected, SAMPLES)


_SIGNALS = numbers.arrays(
    np.float32,
    st.tuples(st.integers(1, 2), st.integers(1, 400)),
    elements=st.floats(-1000, 1000, width=32),
)


@settings(max_examples=60, deadline=None)
@given(
    audio=_SIGNALS,
    ceiling=st.floats(-40, 0),
    lookahead=st.integers(0, 60),
    release=st.integers(1, 500),
)
def test_nothing_is_ever_above_the_ceiling(
    audio: np.ndarray, ceiling: float, lookahead: int, release: int
) -> None:
    made = _run(audio, ceiling=ceiling, lookahead=f"{lookahead * 125}us", release=f"{release}ms")
    assert made.shape == audio.shape
    assert np.abs(made).astype(np.float64).max() <= 10 ** (ceiling / 20)
    assert (np.abs(made) <= np.abs(audio)).all()
    quiet = np.abs(audio).max() <= 0.999 * 10 ** (ceiling / 20)
    assert not quiet or np.array_equal(made, audio)


def test_full_scale_passes_a_ceiling_of_full_scale() -> None:
    audio = np.array([[1.0, -1.0, 0.5, 0.0]], np.float32)
    assert np.array_equal(_run(audio, ceiling=0.0), audio)


def test_gain_falls_as_a_ramp_and_recovers_at_the_declared_speed() -> None:
    audio = np.full((1, 48000), 0.05, np.float32)
    audio[0, 24000] = 1.0  # 20 dB above the ceiling
    made = _run(audio, rate=48000, block="10ms", ceiling=-20.0, lookahead="5ms", release="100ms")
    gain = 20 * np.log10(made[0] / audio[0])
    assert_close(gain[24000], -20.0, RAMP)
    assert (gain[: 24000 - 240] == 0).all()
    ramp = np.diff(gain[24000 - 240 : 24000])
    assert_close(ramp, -20 / 241, RAMP)  # linear in dB, over the look-ahead
    recovery = gain[24000 + 500 : 24000 + 5300]
    assert recovery[-1] - recovery[0] == pytest.approx(10.0, abs=0.01)  # 10 dB in 100 ms
    assert (gain[24000 + 2 * 4800 + 300 :] == 0).all()  # and then exactly 1 again


def test_channels_share_one_gain() -> None:
    audio = np.stack([np.full(800, 0.1), np.full(800, 0.05)]).astype(np.float32)
    audio[0, 400] = 1.0
    made = _run(audio, ceiling=-6.0)
    audio[0, 400] = 0.1
    made[0, 400] = made[1, 400] * 2
    assert_close(made[0] / audio[0], made[1] / audio[1], FLOAT32)


def test_latency_is_the_lookahead() -> None:
    assert _plan(lookahead="5ms").latency_out == 40
    assert _plan(lookahead="0ms").latency_out == 0


@settings(deadline=None)
@given(
    values=numbers.arrays(np.float64, st.integers(1, 60), elements=st.floats(-100, 0)),
    width=st.integers(1, 60),
)
def test_sliding_minimum(values: np.ndarray, width: int) -> None:
    width = min(width, len(values))
    expected = np.lib.stride_tricks.sliding_window_view(values, width).min(-1)
    assert np.array_equal(sliding_minimum(values[None], width)[0], expected)


@settings(deadline=None)
@given(
    wanted=numbers.arrays(np.float64, st.integers(1, 60), elements=st.floats(-100, 0)),
    last=st.floats(-100, 0),
    step=st.floats(1e-4, 20),
)
def test_release(wanted: np.ndarray, last: float, step: float) -> None:
    found = release_from(wanted[None], np.array([last]), step)[0]
    for n, value in enumerate(wanted):
        last = min(value, last + step)
        assert found[n] == pytest.approx(last, abs=1e-9)


def test_params_are_checked() -> None:
    with pytest.raises(PipelineError, match="expected at most 0"):
        _plan(ceiling=1.0)
    with pytest.raises(PipelineError, match="expected at most 100ms"):
        _plan(lookahead="1s")
