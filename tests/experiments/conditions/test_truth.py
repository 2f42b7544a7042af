"""Clips whose F0 is known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from voicegraph.experiments import conditions, observers
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.f0_error import f0_cents
from voicegraph.graph.signals import Audio

RATE = 16000


def test_trackers_hear_the_known_f0() -> None:
    speech = bundled_recording.speech(Audio(Fraction(RATE), 1))[0][: 3 * RATE]
    name, params = conditions.ask({"truth": "world"})
    made, known = conditions.apply(name, params, speech, RATE, 1, "c")
    f0 = known["f0"][::2]
    assert len(known["f0"]) == 3 * 200 + 1
    assert 0.25 < np.mean(f0 > 0) < 0.75
    for tracker in ("f0.swift", "f0.dio"):
        heard = observers.hear(tracker, made, RATE).arrays["f0"]
        assert np.median(np.abs(f0_cents(f0, heard))) < 20, tracker  # a fifth of a gross error
        assert np.mean((heard > 0) == (f0 > 0)) > 0.9, tracker


def test_level_stays() -> None:
    speech = bundled_recording.speech(Audio(Fraction(RATE), 1))[0][:RATE]
    name, params = conditions.ask({"truth": "world"})
    made, _ = conditions.apply(name, params, speech, RATE, 1, "c")
    np.testing.assert_allclose(np.mean(made**2), np.mean(speech**2), rtol=1e-4)
