"""``io.tone``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import INAUDIBLE, SAMPLES, assert_close

test_conformance = conformance.suite("io.tone")

RATE = 48000
BLOCK = np.zeros(480, np.float32)


def _session(streams: int = 1, **params: Any):
    nodes = {"tone": node("io.tone", **params)}
    return Pipeline(block="10ms", nodes=nodes, output="tone").session(streams)


def _run(session, blocks: int) -> np.ndarray:
    return np.concatenate([session.process(BLOCK) for _ in range(blocks)])


def test_tone_is_the_sine_that_was_asked_for() -> None:
    with _session(frequency=997.0, level=-6.0) as session:
        found = _run(session, 1000)
    time = np.arange(480_000) / RATE
    expected = 10 ** (-6 / 20) * np.sin(2 * np.pi * 997.0 * time)
    assert_close(found, expected, SAMPLES)  # after 10 s, so the phase does not drift


def test_changes_glide_without_a_click() -> None:
    with _session(frequency=200.0, level=-6.0) as session:
        _run(session, 3)
        session.set("tone.frequency", 1000.0)
        session.set("tone.level", -12.0)
        found = _run(session, 20)
    steepest = 2 * np.pi * 1000.0 / RATE * 10 ** (-6 / 20)
    assert np.abs(np.diff(found)).max() <= steepest
    tail = found[-4800:]
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(4800)))
    assert np.argmax(spectrum) == 100  # 1000 Hz in bins of 10 Hz
    assert np.sqrt(2 * np.mean(tail**2)) == pytest.approx(10 ** (-12 / 20), rel=1e-4)


def test_changed_tone_is_the_same_in_blocks_of_any_size() -> None:
    made = []
    for block, size in (("10ms", 480), ("30ms", 1440)):
        nodes = {"tone": node("io.tone", frequency=200.0)}
        with Pipeline(block=block, nodes=nodes, output="tone").session() as session:
            silence = np.zeros(size, np.float32)
            first = [session.process(silence) for _ in range(2880 // size)]
            session.set("tone.frequency", 3000.0)
            rest = [session.process(silence) for _ in range(28800 // size)]
        made.append(np.concatenate(first + rest))
    assert_close(made[0], made[1], INAUDIBLE)


def test_all_channels_carry_it() -> None:
    with _session(channels=2) as session:
        found = session.process(BLOCK)
    assert found.shape == (2, 480)
    assert np.array_equal(found[0], found[1])


def test_frequency_stays_below_nyquist() -> None:
    with pytest.raises(
        PipelineError, match="frequency: expected less than half of the rate, 24000"
    ):
        _session(frequency=24000.0)
    with _session(frequency=100.0) as session, pytest.raises(StateError, match="half of the rate"):
        session.set("tone.frequency", 30000.0)
