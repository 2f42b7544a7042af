"""``dsp.gate``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import SAMPLES, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("dsp.gate")

RATE = 8000


def _plan(block: Any = "10ms", rate: int = RATE, channels: int = 1, **params: Any):
    source = {"rate": rate, "channels": channels}
    nodes = {"gate": node("dsp.gate", "input", **params)}
    return Pipeline(block=block, input=source, nodes=nodes, output="gate").compile()


def _run(audio: np.ndarray, block: Any = "10ms", **keys: Any) -> np.ndarray:
    """``[samples]`` or ``[channels, samples]`` through the gate, latency taken off."""
    plan = _plan(block, channels=1 if audio.ndim == 1 else len(audio), **keys)
    with plan.session() as session:
        output = np.concatenate([session.push(audio), session.flush()], axis=-1)
    return output[..., plan.latency_out :]


def _bursts(seed: int, count: int) -> np.ndarray:
    """Noise whose level jumps between -80 and 0 dB."""
    rng = np.random.default_rng(seed)
    levels = 10 ** (rng.uniform(-80, 0, count // 97 + 1) / 20)
    return (rng.normal(0, 0.3, count) * np.repeat(levels, 97)[:count]).astype(np.float32)


def _smooth_by_hand(
    audio: np.ndarray, threshold: float, hysteresis: float, sizes: dict[str, int]
) -> np.ndarray:
    """The definition, sample by sample."""
    window, ahead = sizes["window"], sizes["lookahead"]
    padded = np.concatenate([np.zeros(window), audio.astype(np.float64), np.zeros(ahead)])
    opened, quiet, gain, gains = False, sizes["hold"], 0.0, []
    for n in range(audio.size + ahead):
        power = np.mean(padded[n + 1 : n + 1 + window] ** 2)
        level = 10 * np.log10(power) if power > 0 else -np.inf
        quiet = 0 if level >= threshold - hysteresis else quiet + 1
        opened = level > threshold or (opened and quiet < max(sizes["hold"], 1))
        step = 1 / max(sizes["attack"], 1) if opened else -1 / max(sizes["release"], 1)
        gain = min(max(gain + step, 0.0), 1.0)
        gains.append(gain)
    return audio * np.array(gains[ahead:])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    block=st.sampled_from(["1ms", "7ms", "50ms"]),
    threshold=st.floats(-50, -10),
    hysteresis=st.floats(0, 20),
    sizes=st.fixed_dictionaries(
        {
            "hold": st.integers(0, 400),
            "attack": st.integers(0, 100),
            "release": st.integers(0, 300),
            "lookahead": st.integers(0, 200),
            "window": st.integers(8, 320),
        }
    ),
)
def test_smooth_is_its_definition(
    seed: int, block: str, threshold: float, hysteresis: float, sizes: dict[str, int]
) -> None:
    audio = _bursts(seed, 2000)
    times = {name: Fraction(size, RATE) for name, size in sizes.items()}
    found = _run(audio, block, threshold=threshold, hysteresis=hysteresis, **times)
    expected = _smooth_by_hand(audio, threshold, hysteresis, sizes)
    assert_close(found, expected, SAMPLES)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    block=st.sampled_from(["10ms", "40ms", "2ms", "4ms", "14ms"]),
    rate=st.sampled_from([8000, 22050, 44100]),
)
def test_hard_zeroes_steps_of_10_ms(seed: int, block: str, rate: int) -> None:
    if rate == 22050:
        block = "20ms" if block in ("10ms", "40ms") else "240/22050"
    block_time = Fraction(block) if "/" in block else block
    if rate == 44100 and block in ("2ms", "4ms", "14ms"):
        block_time = Fraction(300, rate)
    audio = _bursts(seed, 3000)
    found = _run(audio, block_time, rate=rate, mode="hard", threshold=-30.0)
    expected = audio.copy()
    padded = np.concatenate([np.zeros(rate), audio.astype(np.float64), np.zeros(rate)])
    for k in range(3000 * 100 // rate + 1):
        begin, step, end = ((k + i) * rate // 100 for i in (-3, 0, 1))
        if np.mean(padded[rate + begin : rate + end] ** 2) < 10**-3:
            expected[step:end] = 0
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("block", "latency"), [("10ms", 0), ("250ms", 0), ("7ms", 9), ("5ms", 5), ("25ms", 5)]
)
def test_hard_waits_for_whole_steps_only(block: str, latency: int) -> None:
    plan = _plan(block, mode="hard", threshold=-30.0)
    assert plan.latency.algorithmic == Fraction(latency, 1000)


def test_lookahead_is_latency() -> None:
    assert _plan(lookahead="15ms").latency.algorithmic == Fraction(15, 1000)


def test_digital_silence_and_full_level() -> None:
    assert not _run(np.zeros(1600, np.float32)).any()
    loud = np.full(1600, 0.5, np.float32)
    np.testing.assert_array_equal(_run(loud)[400:], loud[400:])


def test_channels_open_together() -> None:
    audio = np.stack([np.full(1600, 0.5), np.full(1600, 1e-4)]).astype(np.float32)
    np.testing.assert_array_equal(_run(audio, threshold=-20.0)[:, 400:], audio[:, 400:])
    np.testing.assert_array_equal(
        _run(audio, threshold=-20.0, mode="hard")[:, 400:], audio[:, 400:]
    )


def test_threshold_changes_without_a_click() -> None:
    audio = np.full(80, 0.1, np.float32)
    with _plan(threshold=-40.0, hysteresis=0.0, hold="0ms").session() as session:
        before = [session.process(audio) for _ in range(10)]
        session.set("gate.threshold", -10.0)
        after = [session.process(audio) for _ in range(10)]
    output = np.concatenate(before + after)
    assert before[-1].min() == audio[0]
    assert not after[-1].any()
    assert np.abs(np.diff(output[200:])).max() < 1.01 * 0.1 / (0.05 * RATE)


@pytest.mark.parametrize("mode", ["smooth", "hard"])
def test_streams_keep_their_own_time(mode: str) -> None:
    plan = _plan("7ms", mode=mode, threshold=-30.0)
    audio = _bursts(5, 56 * 30).reshape(30, 1, 1, 56)
    with plan.session() as session:
        alone = [session.process(block) for block in audio]
    with plan.session(2) as session:
        together = []
        for tick, block in enumerate(audio):
            if tick == 4:  # 28 ms: within a step
                session.reset(stream=1)
            later = audio[tick - 4] if tick >= 4 else block
            together.append(session.process(np.concatenate([block, later])))
    np.testing.assert_array_equal([t[0] for t in together], [a[0] for a in alone])
    np.testing.assert_array_equal([t[1] for t in together[4:]], [a[0] for a in alone[:-4]])


def test_wrong_params_are_refused() -> None:
    wrong: dict[str, Any] = {"threshold": 3.0, "mode": "soft", "hold": "-1ms", "window": "0ms"}
    for name, value in wrong.items():
        with pytest.raises(PipelineError, match=name):
            _plan(**{name: value})
