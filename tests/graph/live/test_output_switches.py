"""Mute, talk key, monitor, loudness: gains that move without a click."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph.live._declick import Bridge
from voicegraph.graph.live._output_switches import Glide, Switches

RATE = 8000
BLOCK = 160


def _ones(count: int = BLOCK) -> np.ndarray:
    return np.ones((2, count), np.float32)


@pytest.mark.parametrize("block", [BLOCK, 40, 16])
def test_a_gain_glides_to_its_target_in_the_next_block(block: int) -> None:
    glide = Glide(Bridge(RATE), 1.0)
    before = glide.apply(_ones(block))
    glide.target = 0.0
    moving, after = glide.apply(_ones(block)), glide.apply(_ones(block))
    assert np.all(before == 1)
    assert not after.any()
    whole = np.concatenate((before, moving, after), 1)
    assert np.abs(np.diff(whole)).max() < 1.1 * np.pi / 2 / min(block, 40)
    assert glide.idle_at == 0.0


def test_a_gain_of_one_costs_nothing() -> None:
    block = _ones()
    assert Glide(Bridge(RATE), 1.0).apply(block) is block


def test_a_target_that_moves_meanwhile_makes_no_step() -> None:
    class Restless(Glide):
        """Another thread moves the target whenever it was read."""

        target = property(
            lambda self: self.__dict__.pop("next", self._value),
            lambda self, value: self.__dict__.__setitem__("next", value),
        )

    glide = Restless(Bridge(RATE), 1.0)
    glide.target = 0.0
    first = glide.over(BLOCK)
    second = glide.over(BLOCK)
    assert np.abs(np.diff(np.concatenate(([1.0], first, second)))).max() < 0.05


def _switches() -> Switches:
    return Switches(Fraction(RATE), Fraction(RATE))


def test_nothing_is_switched() -> None:
    switches = _switches()
    block = _ones()
    switches.shape_input(block)
    assert np.all(block == 1)
    assert switches.shape_output(block) is block


def test_the_talk_key_is_before_everything_and_the_rest_behind() -> None:
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


def test_the_dry_signal_is_heard_while_the_other_is_muted_and_only_once() -> None:
    switches = _switches()
    switches.mute.target, switches.monitor.target = 0.0, 1.0
    switches.dry = 0.25 * _ones()
    switches.shape_output(_ones())
    assert not switches.shape_output(_ones()).any()  # the dry block was heard already
    switches.dry = 0.25 * _ones()
    assert np.all(switches.shape_output(_ones()) == 0.25)
