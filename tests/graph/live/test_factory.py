"""Loops that the factory creates, for any format and margin."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.factory import LiveOptions, create_loop
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio


def _sine(rate: int, channels: int) -> Any:
    def sound(start: int, count: int) -> np.ndarray:
        at = np.arange(start, start + count)
        wave = 0.5 * np.sin(2 * np.pi * 440 * at / rate)
        return np.repeat(wave.astype(np.float32)[:, None], channels, 1)

    return sound


@pytest.mark.parametrize(
    ("rate_in", "rate_out", "channels_in", "channels_out", "one_clock"),
    [(44100, 48000, 1, 2, False), (16000, 44100, 2, 1, False), (96000, 96000, 2, 2, True)],
)
@pytest.mark.parametrize("block", ["10ms", "100ms"])
def test_other_rates_and_channels_have_no_dropout(
    rate_in: int, rate_out: int, channels_in: int, channels_out: int, one_clock: bool, block: str
) -> None:
    nodes = {"pass": node("dsp.gain", "input")}
    pipeline = Pipeline(block=block, input={"rate": 48000}, nodes=nodes, output="pass")
    plan = pipeline.compile(
        Audio(Fraction(rate_in), channels_in), Audio(Fraction(rate_out), channels_out)
    )
    source = OpenDevice("in", rate_in, channels_in, 0.0)
    target = OpenDevice("out", rate_out, channels_out, 0.0)
    played: list[np.ndarray] = []
    with plan.session(warm_up=False) as session:
        loop = create_loop(session, source, target, one_clock, LiveOptions())
        ends = (
            SimulatedDevice(rate_in, rate_in // 100),
            SimulatedDevice(rate_out, rate_out // 100),
        )
        simulation = Simulation(
            loop, *ends, _sine(rate_in, channels_in), cost=lambda _: 0.001,
            played=lambda _, frames: played.append(frames.copy()),
        )  # fmt: skip
        simulation.run(5)
    audio = np.concatenate(played)
    assert audio.shape[1] == channels_out
    late = audio[3 * rate_out :]
    assert np.abs(late).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(np.diff(late, axis=0)).max() < 1.02 * 0.5 * 2 * np.pi * 440 / rate_out
    assert np.array_equal(late[:, 0], late[:, -1])
    assert (loop.counts.late, loop.counts.dropped, loop.playback.underruns) == (0, 0, 0)


@pytest.mark.parametrize("margin", [0.0, 0.5, 5.0])
def test_margin_is_part_of_the_delay(margin: float) -> None:
    rate = 16000
    nodes = {"pass": node("dsp.gain", "input")}
    pipeline = Pipeline(block="20ms", input={"rate": rate}, nodes=nodes, output="pass")
    end = OpenDevice("card", rate, 1, 0.0)
    played: list[np.ndarray] = []
    with pipeline.session(warm_up=False) as session:
        loop = create_loop(session, end, end, True, LiveOptions(margin_s=margin))
        device = SimulatedDevice(rate, 160)
        Simulation(
            loop, device, device, _sine(rate, 1), cost=lambda _: 0.001,
            played=lambda _, frames: played.append(frames.copy()),
        ).run(4 + margin)  # fmt: skip
    audio = np.concatenate(played)[:, 0]
    assert np.abs(audio[-rate // 2 :]).max() == pytest.approx(0.5, abs=0.01)
    begun = int(np.flatnonzero(np.abs(audio) > 0.01)[0]) / rate
    assert begun == pytest.approx(2 + margin + 0.04, abs=0.06)


def test_block_shorter_than_a_ramp_does_not_click() -> None:
    rate = 16000
    nodes = {"pass": node("dsp.gain", "input")}
    pipeline = Pipeline(block="2ms", input={"rate": rate}, nodes=nodes, output="pass")
    end = OpenDevice("card", rate, 1, 0.0)
    played: list[np.ndarray] = []
    with pipeline.session(warm_up=False) as session:
        loop = create_loop(session, end, end, True, LiveOptions())
        device = SimulatedDevice(rate, 32)
        simulation = Simulation(
            loop, device, device, _sine(rate, 1), cost=lambda _: 0.0002,
            played=lambda _, frames: played.append(frames.copy()),
        )  # fmt: skip
        simulation.run(3)
        loop.switches.mute.target = 0.0
        simulation.run(0.1)
        loop.switches.mute.target = 1.0
        simulation.run(0.1)
    audio = np.concatenate(played)[:, 0][round(2.5 * rate) :]
    slope = 0.5 * 2 * np.pi * 440 / rate
    # Half a cosine within 32 samples.
    assert np.abs(np.diff(audio)).max() < slope + 0.5 * np.pi / 2 / 32
