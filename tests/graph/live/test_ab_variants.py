"""A/B comparison of two variants at matched loudness."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.live_command import ChooseVariant, Swap

CREST = 0.001
"""The crest of a sine of 440 Hz lies between two samples, and a fade leaves its last part."""
MATCHED = 0.07
"""0.6 dB: loudness is measured for three seconds."""

RATE = 48000


class _Two:
    """A session with a second variant that is 12 dB louder."""

    def __init__(self, live: LiveSession, played: Any, sound: Any) -> None:
        self.live, self.played = live, played
        live._commands.apply_options()
        end = SimulatedDevice(RATE, 480)
        self.simulation = Simulation(
            live.loop, end, end, sound, cost=lambda _: 0.001, played=played
        )
        self.simulation.run(6)

    def choose(self, name: Any = "other", seconds: float = 1.0) -> None:
        self.live.command(ChooseVariant(name=name))
        self.finish(seconds)

    def finish(self, seconds: float) -> None:
        deadline = time.monotonic() + 30
        while self.live.swap_worker.busy:
            assert time.monotonic() < deadline
            self.simulation.run(0.02)
            self.live.swap_worker.wait(0.004)
        self.simulation.run(seconds)

    @property
    def level(self) -> float:
        return float(np.abs(self.played.audio[-4800:]).max())


@pytest.fixture
def two(make_live: Callable[..., LiveSession], played: Any, sine: Any) -> _Two:
    nodes = {"pass": node("dsp.gain", "input", db=-12), "end": node("dsp.gain", "pass")}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="end")
    return _Two(make_live(pipeline, variant={"nodes.pass.params.db": 0}), played, sine(440))


def test_choose_swaps_to_b_and_back(two: _Two) -> None:
    assert two.live.status().variant == "a"
    assert two.level == pytest.approx(0.1256, abs=CREST)
    two.choose(seconds=3)
    assert two.live.status().variant == "b"
    assert two.live.session.get("pass.db") == 0
    # Its loudness is that of the first, though it gives 12 dB more.
    assert two.level == pytest.approx(0.1256, rel=MATCHED)
    two.choose()
    assert two.live.status().variant == "a"
    assert two.level == pytest.approx(0.1256, abs=CREST)


def test_loudness_matches_once_both_are_measured(two: _Two) -> None:
    two.choose(seconds=3)
    two.choose(seconds=1)
    before = len(two.played.audio)
    two.choose(seconds=1)
    assert two.live.status().variant == "b"
    assert np.abs(two.played.audio[before:]).max() < 0.1256 * 1.1


def test_choosing_the_played_variant_does_nothing(two: _Two) -> None:
    two.live.command(ChooseVariant(name="a"))
    assert not two.live.swap_worker.busy


def test_second_choice_waits_for_the_first(two: _Two) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = two.live.command(ChooseVariant())
        second = pool.submit(two.live.command, ChooseVariant())
        while not second.done():
            two.simulation.run(0.02)
            two.live.swap_worker.wait(0.004)
        two.finish(0.1)
    assert first is not None
    first.result(0)
    assert two.live.status().variant == "a"
    assert two.live.messages.texts[-2:] == ["changed: the other variant"] * 2


def test_swap_changes_only_the_played_variant(two: _Two) -> None:
    two.choose("b", 0.1)
    two.live.command(Swap(overrides={"nodes.end.use": "dsp.highpass"}))
    two.finish(0.1)
    two.choose("a", 0.1)
    assert two.live.session.plan.nodes[1].use == "dsp.gain"
    two.choose("b", 0.1)
    assert two.live.session.plan.nodes[1].use == "dsp.highpass"


@pytest.mark.parametrize(
    ("variant", "error"),
    [
        ({"nodes.pass.use": "dsp.gian"}, PipelineError),
        ({"nodes.pass.use": "dsp.limiter"}, StateError),
        ({"block": "40ms"}, StateError),
    ],
)
def test_unfitting_variant_is_refused_at_the_start(
    make_live: Callable[..., LiveSession], variant: dict[str, Any], error: type[Exception]
) -> None:
    live = make_live(variant=variant)
    with pytest.raises(error):
        live.start()
    live.stop()
    assert live.card.stopped == 1  # pyright: ignore[reportAttributeAccessIssue]
