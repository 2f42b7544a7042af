"""``dsp.compressor``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import SAMPLES, assert_close, decibels

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("dsp.compressor")

RATE = 8000
RNG = np.random.default_rng(31)
LEVEL = decibels(1e-3, "float32 samples, whose logarithms are subtracted")


def _plan(block: str = "10ms", channels: int = 1, rate: int = RATE, **params: Any):
    nodes = {"press": node("dsp.compressor", "input", **params)}
    given = {"rate": rate, "channels": channels}
    return Pipeline(block=block, input=given, nodes=nodes, output="press").compile()


def _run(audio: np.ndarray, block: str = "10ms", **params: Any) -> np.ndarray:
    plan = _plan(block, channels=audio.shape[0], **params)
    with plan.session(warm_up=False) as session:
        made = np.concatenate([session.push(audio), session.flush()], axis=1)
    return made[:, plan.latency_out :][:, : audio.shape[1]]


def _knee(over: float, knee: float) -> float:
    """Output above the threshold of the paper's gain computer, as a loss."""
    if 2 * over < -knee:
        return 0.0
    if 2 * abs(over) <= knee and knee:
        return (over + knee / 2) ** 2 / (2 * knee)
    return over


def _by_the_book(audio: np.ndarray, ahead: int = 0, **params: Any) -> np.ndarray:
    """The definition, sample by sample."""
    p = {"threshold": -24, "ratio": 3, "knee": 6, "attack": 5, "release": 120, "makeup": 0} | params
    release = math.exp(-1000 / (p["release"] * RATE))
    attack = math.exp(-1000 / (p["attack"] * RATE)) if p["attack"] else 0.0
    mean = math.exp(-1 / (0.01 * RATE))
    power, held, reduction = np.zeros(audio.shape[0]), 0.0, 0.0
    gains = []
    for n in range(audio.shape[1]):
        square = audio[:, n].astype(np.float64) ** 2
        power = mean * power + (1 - mean) * square if p.get("detector") == "rms" else square
        level = 10 * math.log10(max(power.max(), 1e-15))
        wanted = (1 - 1 / p["ratio"]) * _knee(level - p["threshold"], p["knee"])
        held = max(wanted, held * release)
        reduction = attack * reduction + (1 - attack) * held
        gains.append(10 ** ((p["makeup"] - reduction) / 20))
    gains = gains[ahead:] + [0.0] * ahead
    return (audio * np.array(gains))[:, : audio.shape[1] - ahead]


def _bursts(channels: int, seed: int = 0) -> np.ndarray:
    """Noise in passages of levels from -60 dB to above full scale."""
    chance = np.random.default_rng(seed)
    levels = np.repeat([0.001, 0.5, 0.02, 2.0, 0.1, 0.0, 0.3, 0.001], 250)
    return (chance.standard_normal((channels, levels.size)) * levels).astype(np.float32)


@pytest.mark.parametrize("block", ["1ms", "10ms", "250ms"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"detector": "rms", "makeup": 9.0},
        {"ratio": 100.0, "knee": 0.0, "attack": 0.0, "release": 1.0},
        {"knee": 40.0, "threshold": -10.0, "attack": 50.0},
    ],
)
def test_vectors_do_what_the_definition_says(block: str, params: dict[str, Any]) -> None:
    audio = _bursts(2)
    assert_close(_run(audio, block, **params), _by_the_book(audio, **params), SAMPLES)


def test_lookahead_is_latency_and_moves_the_gain() -> None:
    audio = _bursts(1)
    assert _plan(lookahead="5ms").latency_out == 40
    assert _plan().latency_out == 0
    found = _run(audio, lookahead="5ms", attack=1.0)[:, :-40]
    assert_close(found, _by_the_book(audio, ahead=40, attack=1.0), SAMPLES)


def test_a_long_block_has_no_overflow() -> None:
    """A running maximum times e^(n / release) would be infinite after 0.7 s."""
    audio = np.tile(_bursts(1), (1, 8))
    found = _run(audio, "2s", release=1.0)
    assert_close(found, _by_the_book(audio, release=1.0), SAMPLES)


@pytest.mark.parametrize(
    ("level", "detector", "expected"),
    [(-30, "peak", -30.0), (-4, "peak", -24 + 20 / 4), (-24, "peak", -24 - 0.75 * 12 / 8)],
)
def test_static_curve(level: float, detector: str, expected: float) -> None:
    """A constant, which has one level for every detector, after all has settled."""
    audio = np.full((1, 4 * RATE), 10 ** (level / 20), np.float32)
    made = _run(audio, "100ms", threshold=-24.0, ratio=4.0, knee=12.0, detector=detector)
    assert_close(20 * np.log10(made[0, -1]), expected, LEVEL)


def test_attack_and_release_are_time_constants() -> None:
    audio = np.full((1, 3 * RATE), 0.001, np.float32)
    audio[:, RATE : 2 * RATE] = 1.0
    made = _run(audio, "100ms", threshold=-20.0, ratio=2.0, knee=0.0, attack=20.0, release=100.0)
    reduction = -20 * np.log10(made[0] / audio[0])
    full = 10.0  # half of 20 dB
    assert_close(reduction[RATE + 159], full * (1 - math.exp(-1)), LEVEL)  # 20 ms
    assert reduction[:RATE].max() == 0
    after = reduction[2 * RATE :]
    slow, fast = np.exp(-np.arange(1, 1601) / 800), np.exp(-np.arange(1, 1601) / 160)
    assert_close(after[:1600], full * (slow * 100 - fast * 20) / 80, decibels(0.05, "sampling"))


def test_channels_share_the_gain_of_the_loudest() -> None:
    audio = np.stack([np.full(RATE, 0.9), np.full(RATE, 0.01)]).astype(np.float32)
    made = _run(audio)
    assert_close(made[1] / audio[1], made[0] / audio[0], decibels(1e-6, "rounding of float32"))
    assert made[0, -1] < 0.5


def test_below_the_threshold_nothing_changes_bit_for_bit() -> None:
    audio = _bursts(2)
    quiet = 0.001 * audio
    assert np.array_equal(_run(quiet), quiet)
    assert np.array_equal(_run(audio, ratio=1.0), audio)


_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "threshold": st.floats(-60, 0),
        "ratio": st.floats(1, 100),
        "knee": st.floats(0, 20),
        "attack": st.floats(0, 50),
        "release": st.floats(1, 500),
        "makeup": st.floats(-12, 12),
    },
)


def _changed(block: str, audio: np.ndarray, changes: list[dict[str, float]]) -> np.ndarray:
    plan = _plan(block, detector="rms")
    parts = []
    with plan.session(warm_up=False) as session:
        for part, change in zip(np.split(audio, len(changes)), changes, strict=True):
            for name, value in change.items():
                session.set(f"press.{name}", value)
            parts.append(session.push(part))
    return np.concatenate(parts)


@settings(max_examples=15, deadline=None)
@given(changes=st.lists(_CHANGES, min_size=3, max_size=3), seed=st.integers(0, 99))
def test_changes_are_alike_in_blocks_of_any_size(
    changes: list[dict[str, float]], seed: int
) -> None:
    audio = _bursts(1, seed)[0, :1680]
    expected = _changed("70ms", audio, changes)
    for block in ("1ms", "3.5ms", "14ms"):
        assert_close(_changed(block, audio, changes), expected, SAMPLES)


def test_changes_do_not_click() -> None:
    with _plan(rate=48000, attack=0.0, knee=0.0).session(warm_up=False) as session:
        parts = [session.push(np.full(4800, 0.9, np.float32))]
        for name, value in (("threshold", -50.0), ("ratio", 20.0), ("makeup", 20.0)):
            session.set(f"press.{name}", value)
        parts.append(session.push(np.full(4800, 0.9, np.float32)))
    levels = 20 * np.log10(np.concatenate(parts)[1000:])
    assert np.abs(np.diff(levels)).max() < 0.2, "dB from sample to sample"
    assert abs(levels[-1] - levels[0]) > 1


def test_params_are_checked() -> None:
    with pytest.raises(PipelineError, match="expected at least 1"):
        _plan(ratio=0.5)
    with pytest.raises(PipelineError, match="expected at most 100ms"):
        _plan(lookahead="1s")


def test_times_are_numbers_or_durations() -> None:
    audio = _bursts(1)
    assert np.array_equal(_run(audio, attack="20ms"), _run(audio, attack=20))
    with pytest.raises(PipelineError, match="expected a time in ms such as 30 or 30ms"):
        _plan(attack="soon")
