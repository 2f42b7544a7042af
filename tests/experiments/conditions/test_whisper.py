"""Simulated whispering."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from voicegraph.experiments import conditions, observers
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.signals import Audio

RATE = 16000
BANDS_HZ = ((150, 400), (1500, 4000))


def test_nothing_is_voiced_and_the_level_stays() -> None:
    speech = bundled_recording.speech(Audio(Fraction(RATE), 1))[0][: 3 * RATE]
    name, params = conditions.ask({"whisper": "world"})
    made, _ = conditions.apply(name, params, speech, RATE, 1, "c")
    voiced = {
        title: np.mean(observers.hear("f0.swift", sound, RATE).arrays["f0"] > 0)
        for title, sound in (("speech", speech), ("whispered", made))
    }
    assert voiced["speech"] > 0.3
    assert voiced["whispered"] < 0.02
    np.testing.assert_allclose(np.mean(made**2), np.mean(speech**2), rtol=1e-4)


def test_low_frequencies_become_weaker() -> None:
    """By 6 dB an octave below 1.5 kHz: 12 to 20 dB in the band of the fundamental."""
    speech = bundled_recording.speech(Audio(Fraction(RATE), 1))[0][: 3 * RATE]
    name, params = conditions.ask({"whisper": "world"})
    made, _ = conditions.apply(name, params, speech, RATE, 1, "c")

    def balance_db(sound: np.ndarray) -> float:
        power, each = np.abs(np.fft.rfft(sound)) ** 2, len(sound) / RATE
        low, high = (power[int(a * each) : int(b * each)].sum() for a, b in BANDS_HZ)
        return float(10 * np.log10(low / high))

    assert -22 < balance_db(made) - balance_db(speech) < -10
