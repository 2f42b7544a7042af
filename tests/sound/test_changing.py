"""Changes while a sine plays on devices: the output is never steeper than the sine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.live_command import Bypass, ChooseVariant, Monitor, Mute, SetParam, Swap

RATE = 48000
SLOPE = 0.25 * 2 * np.pi * 440 / RATE
"""Slope of the sine; the gain is at most 0 dB."""
GLIDE = 0.25 * np.pi / 2 / 240
"""Slope of a fade of a quarter of full scale over 5 ms."""


@pytest.fixture
def chain() -> Pipeline:
    return Pipeline(
        block="20ms",
        input={"rate": RATE},
        nodes={"gain": node("dsp.gain", "input"), "end": node("dsp.limiter", "gain")},
        output="end",
    )


def _steepest(heard: np.ndarray, begun: int) -> float:
    return float(np.abs(np.diff(heard[begun:])).max())


def test_param_sweeps_do_not_click(listening: Any, chain: Pipeline, sine: Any) -> None:
    live, ear = listening(chain, "duplex_a", "duplex_a", sine, margin_s=0.02)
    begun = ear.wait(live.stopped, 0.5)
    for value in (*np.linspace(0, -24, 30), *np.linspace(-24, 0, 6), -60.0, 0.0):
        live.command(SetParam(param="gain.db", value=float(value)))
        ear.wait(live.stopped, 0.03)
    ear.wait(live.stopped, 0.3)
    heard = ear.heard
    assert live.status().late.blocks == 0
    assert _steepest(heard, begun + RATE // 4) < SLOPE + GLIDE
    assert np.abs(heard[-RATE // 10 :]).max() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    "commands",
    [
        [
            Swap(overrides={"nodes.gain.params.db": -6.0}),
            Swap(overrides={"nodes.end.use": "dsp.gain"}),
        ],
        pytest.param(
            [Bypass(node="gain"), Bypass(node="gain", on=False)], marks=pytest.mark.slow
        ),
        pytest.param(
            [ChooseVariant(name="b"), ChooseVariant(name="a")], marks=pytest.mark.slow
        ),
    ],
    ids=["swap", "bypass", "variant"],
)  # fmt: skip
def test_hot_swaps_do_not_click(
    listening: Any, chain: Pipeline, sine: Any, wait_for: Callable[..., None], commands: list[Any]
) -> None:
    variant = {"variant": {"nodes.gain.params.db": -3.0}} if len(commands) == 2 else {}
    live, ear = listening(chain, "duplex_a", "duplex_a", sine, margin_s=0.03, **variant)
    begun = ear.wait(live.stopped, 0.5)
    for command in commands:
        live.command(command)
        wait_for(live, lambda: not live.swap_worker.busy)
        ear.wait(live.stopped, 0.3)
    said = live.messages.texts
    assert sum(text.startswith("changed") for text in said) == len(commands), said
    if live.status().late.blocks == 0:
        assert _steepest(ear.heard, begun + RATE // 4) < SLOPE + GLIDE
    else:
        assert _steepest(ear.heard, begun + RATE // 4) < SLOPE + 2 * GLIDE


def test_switches_do_not_click(listening: Any, chain: Pipeline, sine: Any) -> None:
    live, ear = listening(chain, "duplex_a", "duplex_a", sine, margin_s=0.02)
    begun = ear.wait(live.stopped, 0.5)
    for command in (Mute(), Mute(on=False), Monitor(), Monitor(on=False), Mute()):
        live.command(command)
        ear.wait(live.stopped, 0.2)
    assert _steepest(ear.heard, begun + RATE // 4) < 2 * SLOPE + 2 * GLIDE
    assert np.abs(ear.heard[-RATE // 50 :]).max() == 0


def test_refused_swap_leaves_session_unchanged(listening: Any, chain: Pipeline, sine: Any) -> None:
    live, ear = listening(chain, "duplex_a", "duplex_a", sine, margin_s=0.02)
    ear.wait(live.stopped, 0.5)
    before = live.status().latency.algorithmic_ms
    for overrides in (
        {"nodes.end.use": "dsp.resample", "nodes.end.params.rate": 16000},  # another output
        {"nodes.end.params.lookahead": "50ms"},  # later than there is room for
        {"nodes.end.use": "dsp.gian"},  # no node
    ):
        with pytest.raises(VoicegraphError):
            live.command(Swap(overrides=overrides))
    begun = ear.wait(live.stopped, 0.3)
    assert live.session.overrides == {}
    assert live.status().latency.algorithmic_ms == before
    assert _steepest(ear.heard, begun - RATE // 4) < SLOPE * 1.01
