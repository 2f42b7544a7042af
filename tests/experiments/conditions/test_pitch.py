"""Clips in another register."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.experiments import conditions, observers
from voicegraph.experiments.conditions.pitch import warp_frequency
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.f0_error import f0_cents
from voicegraph.graph.signals import Audio

RATE = 16000
NEIGHBOUR_CENTS = 100
"""A semitone: a gross error of F0."""


@pytest.mark.parametrize("wanted", [80.0, 270.0])
def test_median_f0_is_the_wanted_one(wanted: float) -> None:
    speech = bundled_recording.speech(Audio(Fraction(RATE), 1))[0][: 3 * RATE]
    name, params = conditions.ask({"pitch": wanted})
    made, known = conditions.apply(name, params, speech, RATE, 1, "c")
    heard = observers.hear("f0.swift", made, RATE).arrays["f0"]
    median = np.array([np.median(heard[heard > 0])])
    assert abs(f0_cents(np.array([wanted]), median)[0]) < NEIGHBOUR_CENTS
    assert known == {}
    np.testing.assert_allclose(np.mean(made**2), np.mean(speech**2), rtol=1e-4)


def test_formants_move_by_the_factor() -> None:
    envelope = np.exp(-0.5 * ((np.arange(257) - 40) / 6) ** 2)[None]
    for factor in (0.8, 1.0, 1.25):
        assert warp_frequency(envelope, factor)[0].argmax() == round(40 * factor)


def test_a_clip_without_voice_stays() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32) / 10
    name, params = conditions.ask({"pitch": 270})
    made, _ = conditions.apply(name, params, np.zeros_like(noise), RATE, 1, "c")
    assert not made.any()
