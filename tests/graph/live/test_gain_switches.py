"""Mute, talk key, monitor and trim as smoothed gains; the dry signal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph.live._declick import DeclickRamps
from voicegraph.graph.live._gain_switches import GainSwitches, SmoothedGain, dry_session
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio

RATE = 8000
BLOCK = 160


def _ones(count: int = BLOCK) -> np.ndarray:
    return np.ones((2, count), np.float32)


@pytest.mark.parametrize("block", [BLOCK, 40, 16])
def test_gain_reaches_its_target_within_one_block(block: int) -> None:
    glide = SmoothedGain(DeclickRamps(RATE), 1.0)
    before = glide.apply(_ones(block))
    glide.target = 0.0
    moving, after = glide.apply(_ones(block)), glide.apply(_ones(block))
    assert np.all(before == 1)
    assert not after.any()
    whole = np.concatenate((before, moving, after), 1)
    assert np.abs(np.diff(whole)).max() < 1.1 * np.pi / 2 / min(block, 40)
    assert glide.steady_value == 0.0


def test_gain_of_one_returns_the_same_array() -> None:
    block = _ones()
    assert SmoothedGain(DeclickRamps(RATE), 1.0).apply(block) is block


def test_target_changed_during_a_ramp_makes_no_step() -> None:
    class Restless(SmoothedGain):
        """Another thread changes the target after each read."""

        target = property(
            lambda self: self.__dict__.pop("next", self._value),
            lambda self, value: self.__dict__.__setitem__("next", value),
        )

    glide = Restless(DeclickRamps(RATE), 1.0)
    glide.target = 0.0
    first = glide.ramp(BLOCK)
    second = glide.ramp(BLOCK)
    assert np.abs(np.diff(np.concatenate(([1.0], first, second)))).max() < 0.05


def _switches() -> GainSwitches:
    return GainSwitches(Fraction(RATE), Fraction(RATE))


def test_default_switches_pass_blocks_unchanged() -> None:
    switches = _switches()
    block = _ones()
    switches.shape_input(block)
    assert np.all(block == 1)
    assert switches.shape_output(block) is block


def test_talk_key_acts_on_input_others_on_output() -> None:
    switches = _switches()
    switches.talk.target = 0.0
    said = _ones()
    switches.shape_input(said)
    assert said[0, 0] > 0.9
    assert not said[:, 40:].any()
    switches.trim.target = 0.5
    switches.shape_output(_ones())
    assert np.allclose(switches.shape_output(_ones()), 0.5)
    switches.mute.target = 0.0
    switches.shape_output(_ones())
    assert not switches.shape_output(_ones()).any()


def test_monitor_is_audible_while_muted_and_only_once() -> None:
    switches = _switches()
    switches.mute.target, switches.monitor.target = 0.0, 1.0
    switches.dry = 0.25 * _ones()
    switches.shape_output(_ones())
    assert not switches.shape_output(_ones()).any()  # the dry block was heard already
    switches.dry = 0.25 * _ones()
    assert np.all(switches.shape_output(_ones()) == 0.25)


def _plan(target: Audio | None = None):
    nodes = {"late": node("dsp.delay", "input", time="40ms")}
    pipeline = Pipeline(block="20ms", input={"rate": 48000}, nodes=nodes, output="late")
    return pipeline.compile(target=target)


def test_dry_signal_equals_input_without_latency() -> None:
    plan = _plan()
    block = np.random.default_rng(1).uniform(-1, 1, (1, 960)).astype(np.float32)
    with dry_session(plan) as dry:
        assert np.array_equal(dry.process(block), block)
        assert dry.plan.latency.algorithmic == 0


def test_dry_signal_has_the_output_format() -> None:
    plan = _plan(Audio(Fraction(24000), 2))
    with dry_session(plan) as dry:
        assert dry.plan.output_type == Audio(Fraction(24000), 2)
        made = dry.process(np.full((1, 960), 0.5, np.float32))
        assert made.shape == (2, plan.samples_out)
        assert np.array_equal(made[0], made[1])
