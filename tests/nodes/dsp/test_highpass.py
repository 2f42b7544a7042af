"""``dsp.highpass``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import SAMPLES, Tolerance, assert_close

pytestmark = pytest.mark.numeric

RESPONSE = Tolerance("a thousandth of a dB", absolute=1e-4)

test_conformance = conformance.suite("dsp.highpass")

RATE = 16000
RNG = np.random.default_rng(10)


def _session(block: str = "10ms", channels: int = 1, **params: Any):
    nodes = {"high": node("dsp.highpass", "input", **params)}
    given = {"rate": RATE, "channels": channels}
    return Pipeline(block=block, input=given, nodes=nodes, output="high").session()


@pytest.mark.parametrize("block", ["1ms", "10ms", "250ms"])
def test_blocks_are_as_the_filter_in_one_go(block: str) -> None:
    audio = RNG.standard_normal((2, RATE)).astype(np.float32)
    with _session(block, channels=2) as session:
        found = session.push(audio)
    sections = signal.butter(5, 48, "highpass", fs=RATE, output="sos")
    expected = signal.sosfilt(sections, audio.astype(np.float64))
    assert_close(found, expected, SAMPLES)


@pytest.mark.parametrize(("cutoff", "order"), [(48.0, 5), (300.0, 2), (20.0, 8), (1000.0, 1)])
def test_response_is_butterworth(cutoff: float, order: int) -> None:
    with _session("1s", cutoff=cutoff, order=order) as session:
        click = np.zeros(RATE, np.float32)
        click[0] = 1.0
        response = np.abs(np.fft.rfft(session.process(click)))
    frequency = np.arange(len(response))  # bins of 1 Hz
    warped = np.tan(np.pi * np.maximum(frequency[:-1], 1) / RATE) / np.tan(np.pi * cutoff / RATE)
    expected = 1 / np.sqrt(1 + warped ** (-2.0 * order))
    assert_close(response[1:-1], expected[1:], RESPONSE)
    assert response[round(cutoff)] == pytest.approx(np.sqrt(0.5), abs=1e-4)


def test_long_silence_empties_the_memory() -> None:
    """A memory that decays for ever would reach the denormal numbers, which are slow."""
    with _session("100ms", cutoff=20.0, order=12) as session:
        session.push(RNG.standard_normal(RATE).astype(np.float32))
        session.push(np.zeros(20 * RATE, np.float32))
        tensors = session.snapshot().tensors
    (memory,) = [value for name, value in tensors.items() if "memory" in name]
    assert np.abs(np.asarray(memory)).max() == 0


def test_cutoff_is_checked() -> None:
    with pytest.raises(PipelineError, match=r"cutoff is 8000 Hz, but must be below .* 8000 Hz"):
        _session(cutoff=8000.0)
    with pytest.raises(PipelineError, match="expected more than 0"):
        _session(cutoff=0.0)
    with pytest.raises(PipelineError, match="expected at most 12"):
        _session(order=13)
