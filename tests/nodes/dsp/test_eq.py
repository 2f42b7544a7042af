"""``dsp.eq``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import SAMPLES, assert_close, decibels

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("dsp.eq")

RATE = 16000
RNG = np.random.default_rng(21)
BANDS = {"low_gain": 6.0, "mid_gain": -9.0, "mid_q": 3.0, "high_gain": -4.0, "highpass": 60.0}


def _session(block: str = "10ms", *, streams: int = 1, channels: int = 1, **params: Any):
    nodes = {"eq": node("dsp.eq", "input", **params)}
    given = {"rate": RATE, "channels": channels}
    return Pipeline(block=block, input=given, nodes=nodes, output="eq").session(streams)


def _response(**params: Any) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and the magnitude in dB, of an impulse through the node."""
    click = np.zeros(RATE, np.float32)
    click[0] = 1.0
    with _session("1s", **params) as session:
        found = np.abs(np.fft.rfft(session.process(click)))
    return np.arange(len(found))[1:-1], 20 * np.log10(np.maximum(found[1:-1], 1e-6))


def _analog(top: list[float], bottom: list[float], ratio: np.ndarray) -> np.ndarray:
    found: Any = signal.freqs(top, bottom, ratio)  # pyright: ignore[reportArgumentType]
    return 20 * np.log10(np.abs(found[1]))


def test_each_band_is_the_analog_filter() -> None:
    hertz, found = _response(mid_gain=9.0, mid_frequency=2500.0, mid_q=1.4)
    root = 10 ** (9 / 40)
    expected = _analog([1, root / 1.4, 1], [1, 1 / root / 1.4, 1], hertz / 2500)
    assert_close(found, expected, decibels(0.8, "what the node promises"))
    hertz, found = _response(low_gain=-8.0, low_frequency=200.0)
    root = 10 ** (-8 / 40)
    wide = np.sqrt(root) / np.sqrt(0.5)
    expected = _analog([root, root * wide, root * root], [root, wide, 1], hertz / 200)
    assert_close(found, expected, decibels(0.3, "what the node promises"))


@pytest.mark.parametrize(("slope", "order"), [(12, 2), (24, 4), (36, 6), (48, 8)])
@pytest.mark.parametrize("kind", ["highpass", "lowpass"])
def test_filters_are_butterworth(kind: str, slope: int, order: int) -> None:
    hertz, found = _response(**{kind: 500.0}, slope=slope)
    ratio = hertz / 500 if kind == "lowpass" else 500 / hertz
    expected = -10 * np.log10(1 + ratio ** (2.0 * order))
    assert found[499] == pytest.approx(-3.01, abs=0.01)
    near = (hertz > 125) & (hertz < 2000)
    assert_close(found[near], expected[near], decibels(0.3, "two octaves on either side"))


@pytest.mark.parametrize("block", ["1ms", "7ms", "250ms"])
def test_blocks_are_as_the_filter_in_one_go(block: str) -> None:
    audio = RNG.standard_normal((2, 7 * RATE // 4)).astype(np.float32)
    with _session(block, channels=2, **BANDS) as session:  # pyright: ignore[reportArgumentType]
        found = session.push(audio)
        tensors = session.snapshot().tensors
    (sections,) = [np.asarray(held) for name, held in tensors.items() if "sections" in name]
    expected = signal.sosfilt(sections[0], audio.astype(np.float64))
    assert_close(found, expected, SAMPLES)


def test_nothing_is_changed_bit_for_bit_where_no_band_acts() -> None:
    audio = RNG.standard_normal(RATE).astype(np.float32)
    with _session() as session:
        assert np.array_equal(session.push(audio), audio)
        session.set("eq.mid_gain", 6.0)
        assert not np.array_equal(session.push(audio), audio)
        session.set("eq.mid_gain", 0.0)
        session.push(audio)
        assert np.array_equal(session.push(audio), audio), "its memory is empty again"


_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "mid_gain": st.floats(-24, 24),
        "low_frequency": st.floats(10, 7000),
        "high_mid_q": st.floats(0.1, 30),
        "highpass": st.sampled_from([0.0, 50.0, 400.0]),
        "lowpass": st.sampled_from([0.0, 3000.0]),
        "high_gain": st.floats(-24, 24),
    },
)


def _changed(block: str, audio: np.ndarray, changes: list[dict[str, float]]) -> np.ndarray:
    """A part of the audio between successive changes, of 70 ms each."""
    parts = []
    with _session(block, low_gain=3.0, high_mid_gain=-6.0) as session:
        for k, change in enumerate(changes):
            for name, value in change.items():
                session.set(f"eq.{name}", value)
            parts.append(session.push(audio[k * 1120 : (k + 1) * 1120]))
    return np.concatenate(parts)


@settings(max_examples=15, deadline=None)
@given(changes=st.lists(_CHANGES, min_size=2, max_size=4), seed=st.integers(0, 99))
def test_changes_are_alike_in_blocks_of_any_size(
    changes: list[dict[str, float]], seed: int
) -> None:
    audio = np.random.default_rng(seed).normal(0, 0.1, 1120 * len(changes)).astype(np.float32)
    expected = _changed("70ms", audio, changes)
    for block in ("1ms", "3.5ms", "10ms"):
        assert_close(_changed(block, audio, changes), expected, SAMPLES)


@pytest.mark.parametrize(
    "change",
    [
        {"mid_gain": 12.0},
        {"mid_frequency": 300.0},
        {"highpass": 200.0},
        {"lowpass": 2000.0},
        {"low_gain": -18.0, "high_gain": 10.0},
    ],
)
def test_changes_do_not_click(change: dict[str, float]) -> None:
    """A step of the level or of the coefficients would be heard far above the tone."""
    time = np.arange(RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 250 * time)).astype(np.float32)
    with _session(mid_gain=1.0) as session:
        parts = [session.push(tone[: RATE // 2])]
        for name, value in change.items():
            session.set(f"eq.{name}", value)
        parts.append(session.push(tone[RATE // 2 :]))
    found = np.concatenate(parts)[RATE // 4 :]
    high = signal.sosfilt(signal.butter(6, 4000, "highpass", fs=RATE, output="sos"), found)
    click = np.abs(high[RATE // 8 :]).max() / np.abs(found).max()
    assert 20 * np.log10(click) < -45, "a step by 1 dB would be at -20 dB"


def test_each_stream_has_its_own_bands() -> None:
    audio = RNG.standard_normal((2, 1, RATE)).astype(np.float32)
    with _session("100ms", streams=2) as session:
        session.set("eq.high_gain", -12.0, stream=1)
        found = np.concatenate(
            [session.process(audio[:, :, k : k + 1600]) for k in range(0, RATE, 1600)], axis=2
        )
    with _session("100ms") as session:
        session.set("eq.high_gain", -12.0)
        expected = session.push(audio[1, 0])
    assert np.array_equal(found[0], audio[0])
    assert_close(found[1, 0], expected, SAMPLES)


def test_bands_in_use_lie_below_half_of_the_rate() -> None:
    with pytest.raises(PipelineError, match=r"high_mid_frequency is 9000 Hz, but must be below"):
        _session(high_mid_frequency=9000.0, high_mid_gain=1.0)
    with _session(high_mid_frequency=9000.0) as session:
        session.push(RNG.standard_normal(RATE).astype(np.float32))
        with pytest.raises(StateError, match=r"half of the input's rate of 16000 Hz, 8000 Hz"):
            session.set("eq.high_mid_gain", 1.0)
        with pytest.raises(StateError, match="lowpass is 8000 Hz"):
            session.set("eq.lowpass", 8000.0)
