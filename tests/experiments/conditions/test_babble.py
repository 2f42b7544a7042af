"""Babble of several voices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import welch

from voicegraph.experiments import conditions
from voicegraph.graph.errors import InputError

RATE = 16000


def test_all_voices_are_equally_loud(tmp_path: Path) -> None:
    time = np.arange(RATE) / RATE
    for hz, level in ((300, 0.01), (1000, 0.5)):
        sound = level * np.sin(2 * np.pi * hz * time)
        soundfile.write(tmp_path / f"{hz}.wav", sound, RATE, "FLOAT")
    clip = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    name, params = conditions.ask({"babble": {"files": "."}, "snr": 5, "voices": 40}, tmp_path)
    noise = conditions.apply(name, params, clip, RATE, 3, "c")[0].astype(np.float64) - clip
    assert np.mean(clip**2) / np.mean(noise**2) == pytest.approx(10**0.5, rel=1e-3)
    at, power = welch(noise, RATE, nperseg=2048)
    low, high = (power[np.abs(at - hz) < 50].sum() for hz in (300, 1000))
    assert 0.1 < low / high < 10  # 40 voices with random phases; the files differ by 34 dB


def test_silent_recordings_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    name, params = conditions.ask({"babble": {"files": "."}, "snr": 5}, tmp_path)
    with pytest.raises(InputError, match=r"babble does not fit clip7: .* silent"):
        conditions.apply(name, params, np.ones(RATE, np.float32), RATE, 3, "clip7")
