"""Cuts at pauses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments.clips.cut import quietest

RATE = 8000


@given(st.floats(1.2, 2.8))
def test_the_middle_of_a_pause_is_found(at: float) -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 4 * RATE)
    audio[round((at - 0.05) * RATE) : round((at + 0.05) * RATE)] *= 1e-3
    assert quietest(audio, RATE, 1.0, 3.0) == pytest.approx(at, abs=0.011)  # the grid is 10 ms


def test_the_first_of_equal_places_is_taken() -> None:
    assert quietest(np.ones(4 * RATE), RATE, 1.0, 3.0) == 1.0


def test_the_end_of_a_recording_is_not_quieter() -> None:
    audio = np.ones(2 * RATE)
    audio[RATE : RATE + RATE // 10] = 0
    assert quietest(audio, RATE, 0.5, 2.0) == pytest.approx(1.05)
