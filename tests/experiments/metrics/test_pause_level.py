"""Level of pauses relative to speech."""

from __future__ import annotations

import math

import numpy as np
import pytest

from voicegraph.experiments.metrics.pause_level import (
    loudest_pause,
    pause_energy,
    pause_energy_after_onset,
    speech_and_pauses,
)
from voicegraph.experiments.observers.contours import level_contour

RATE = 16000
UNVOICED = np.zeros(601)


def _clip(pause_db: float, seed: int = 1) -> np.ndarray:
    """Noise at 0 dB from 0.5 to 1.5 s of each 2 s, else at ``pause_db``; 6 s."""
    random = np.random.default_rng(seed)
    time = np.arange(6 * RATE) / RATE % 2
    speaks = (time >= 0.5) & (time < 1.5)
    return 0.1 * random.standard_normal(len(time)) * np.where(speaks, 1, 10 ** (pause_db / 20))


def test_speech_and_pauses_are_separated() -> None:
    speech, pauses = speech_and_pauses(level_contour(_clip(-60)), UNVOICED)
    time = np.arange(len(speech)) / 100 % 2
    assert speech[(time > 0.55) & (time < 1.45)].all()
    assert pauses[:-5][((time > 1.6) | (time < 0.4))[:-5]].all()
    assert not (speech & pauses).any()
    assert not pauses[(time > 0.5) & (time < 1.5)].any()


@pytest.mark.parametrize("db", [-20.0, -45.0, -70.0])
def test_pause_energy_is_measured(db: float) -> None:
    clean = level_contour(_clip(-60))
    assert pause_energy(level_contour(_clip(db, 2)), clean, UNVOICED) == pytest.approx(db, abs=0.4)
    assert loudest_pause(level_contour(_clip(db, 2)), clean, UNVOICED) == pytest.approx(db, abs=3)


def test_voiced_frames_are_not_pauses() -> None:
    """A voice that dies away sinks into the room's noise before it ends."""
    f0 = UNVOICED.copy()
    f0[150:170] = 90.0
    pauses = speech_and_pauses(level_contour(_clip(-60)), f0)[1]
    assert not pauses[150:175].any()
    assert pauses[176:190].all()
    assert pauses[0]
    assert not pauses[-5:].any()  # what comes after the clip may be speech


def test_burst_raises_the_loudest_pause() -> None:
    clean, made = level_contour(_clip(-60)), _clip(-60, 2)
    made[int(1.8 * RATE) :][:400] += 0.05 * np.sin(np.arange(400))
    assert loudest_pause(level_contour(made), clean, UNVOICED) > -15
    assert pause_energy(level_contour(made), clean, UNVOICED) < -20


def test_first_half_second_may_be_skipped() -> None:
    clean, made = level_contour(_clip(-60)), _clip(-60, 2)
    made[: int(0.4 * RATE)] *= 300
    assert pause_energy(level_contour(made), clean, UNVOICED) > -20
    assert pause_energy_after_onset(level_contour(made), clean, UNVOICED) == pytest.approx(
        -60, abs=0.5
    )


def test_clip_without_pauses_gives_nan() -> None:
    clean = level_contour(0.1 * np.random.default_rng(1).standard_normal(RATE))
    assert math.isnan(pause_energy(clean, clean, UNVOICED[:101]))
    assert math.isnan(loudest_pause(clean, clean, UNVOICED[:101]))


def test_silence_has_a_finite_level() -> None:
    clean = level_contour(_clip(-60))
    found = pause_energy(np.full(len(clean), -120.0), clean, UNVOICED)
    assert found == pytest.approx(0)
