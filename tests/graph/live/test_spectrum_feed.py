"""Spectra: levels, bands, times, and nothing while nobody watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.live.engine_loop import EngineLoop
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.live.spectrum_feed import SpectrumFeed, mel_bands
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.control import SpectrumMessage

from .conftest import RATE

ONE_STEP = 255 / 90
"""Levels of one decibel."""


def _sine(hz: float, rate: int, count: int, amplitude: float = 1.0) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * hz * np.arange(count) / rate)
    return wave.astype(np.float32)[None]


def _spectra(taken: np.ndarray, made: np.ndarray, rates: tuple[int, int]) -> list[SpectrumMessage]:
    feed = SpectrumFeed(*rates)
    with feed.watched():
        feed.put(taken, made, None)
        return feed.after(0)


@pytest.mark.parametrize(("hz", "db"), [(120, 0), (440, -20), (1000, -6), (6000, -40)])
def test_sine_has_its_level_in_its_band(hz: float, db: float) -> None:
    sound = _sine(hz, RATE, RATE, 10 ** (db / 20))
    newest = _spectra(sound, 0 * sound, (RATE, RATE))[-1]
    assert max(newest.input) == pytest.approx(255 * (1 + db / 90), abs=4 * ONE_STEP)
    centres = mel_bands(RATE, 4096).argmax(1) * RATE / 4096
    assert centres[int(np.argmax(newest.input))] == pytest.approx(hz, rel=0.15, abs=20)
    assert max(newest.output) == 0


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
def test_bands_end_at_the_highest_frequency_there_is(rate: int) -> None:
    sound = np.random.default_rng(0).standard_normal((2, rate)).astype(np.float32)
    newest = _spectra(sound, sound, (rate, rate))[-1]
    heard = [level > 0 for level in newest.input]
    assert all(heard[:40])
    assert all(heard) == (rate > 24000)


@settings(max_examples=30, deadline=None)
@given(blocks=st.lists(st.integers(1, 6000), min_size=1, max_size=30))
def test_one_message_for_each_50_ms_in_blocks_of_any_size(blocks: list[int]) -> None:
    feed = SpectrumFeed(RATE, 16000)
    found: list[SpectrumMessage] = []
    with feed.watched():
        for count in blocks:
            feed.put(np.zeros((1, count), np.float32), np.zeros((1, count // 3), np.float32), None)
            found += feed.after(feed.newest if not found else found[-1].number)
    assert len(found) == sum(blocks) // (RATE // 20)
    assert [message.number for message in found] == list(range(1, len(found) + 1))


def test_pitch_comes_with_the_next_message() -> None:
    feed = SpectrumFeed(RATE, RATE)
    with feed.watched():
        for f0 in (110.04, 0.0, 220.0):
            feed.put(_sine(1, RATE, 1200), _sine(1, RATE, 1200), np.array([f0], np.float32))
        [message] = feed.after(0)
    assert message.pitch_hz == [110.0, None]


def test_slow_watcher_gets_the_newest() -> None:
    feed = SpectrumFeed(RATE, RATE)
    with feed.watched():
        feed.put(np.zeros((1, 5 * RATE), np.float32), np.zeros((1, 5 * RATE), np.float32), None)
        found = feed.after(0)
    assert [found[0].number, found[-1].number] == [61, 100]


def test_engine_copies_only_while_watched(make_loop: Callable[..., EngineLoop], sine: Any) -> None:
    loop = make_loop()
    end = SimulatedDevice(RATE, 480)
    simulation = Simulation(loop, end, end, sine(440), cost=lambda _: 0.001)
    simulation.run(3)
    assert loop.spectra.after(0) == []
    with loop.spectra.watched():
        simulation.run(0.5)
        found = loop.spectra.after(0)
    assert 9 <= len(found) <= 11
    assert max(found[-1].input) == max(found[-1].output)
    simulation.run(0.5)
    assert loop.spectra.after(found[-1].number) == []


def test_pitch_is_that_of_the_input(make_live: Callable[..., Any], sine: Any) -> None:
    pytest.importorskip("pyworld", reason="the pipeline needs the extra `world`")
    pipeline = Pipeline.load("world", {"input.rate": RATE, "vars.transpose": 12})
    live = make_live(pipeline)
    end = SimulatedDevice(RATE, 480)

    def voice(start: int, count: int) -> np.ndarray:
        return sum(sine(110 * k)(start, count) / k for k in range(1, 9)) / 3  # pyright: ignore[reportReturnType]

    simulation = Simulation(live.loop, end, end, voice, cost=lambda _: 0.001)
    simulation.run(3)
    with live.spectra.watched():
        simulation.run(1)
        found = [f0 for message in live.spectra.after(0) for f0 in message.pitch_hz]
    assert len(found) == pytest.approx(100, abs=20)  # a frame for each 10 ms
    assert np.median([f0 or 0 for f0 in found]) == pytest.approx(110, abs=2)
