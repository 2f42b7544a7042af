"""Cheap microphones."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import conditions
from voicegraph.experiments.conditions.microphone import response

RIPPLE_DB = 1.5
"""By which a filter of finite length may miss its points."""


@pytest.mark.parametrize("rate", [16000, 48000])
def test_laptop_has_little_bass_and_a_resonance(rate: int) -> None:
    gains = np.abs(np.fft.rfft(response("laptop", rate), rate))
    db = 20 * np.log10(gains)
    for hz, wanted in ((400, -2), (1000, 0), (2500, 1), (4500, 6), (6000, 3)):
        assert db[hz] == pytest.approx(wanted, abs=RIPPLE_DB), hz
    assert db[100] < -15


@pytest.mark.parametrize("microphone", ["laptop", "headset"])
def test_sound_is_not_late_and_as_loud(microphone: str) -> None:
    clip = np.zeros(8000, np.float32)
    clip[3000] = 1.0
    name, params = conditions.ask({"microphone": microphone})
    made, _ = conditions.apply(name, params, clip, 16000, 1, "c")
    assert np.abs(made).argmax() == 3000
    assert np.sum(made**2) == pytest.approx(1.0, rel=1e-4)
