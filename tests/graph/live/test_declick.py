"""Ramps that join audio without a click."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._declick import SECONDS, DeclickRamps

RATE = 8000
COUNT = round(SECONDS * RATE)


@pytest.mark.parametrize("frames", [COUNT, COUNT + 1, 10 * COUNT, COUNT // 2, 2])
def test_join_leads_from_last_value_to_frames(frames: int) -> None:
    declick = DeclickRamps(RATE)
    part = np.full((2, frames), 0.25, np.float32)
    declick.join(np.array([1.0, -1.0], np.float32), part)
    whole = np.concatenate(([[1.0], [-1.0]], part, [[0.25], [0.25]]), 1)
    # Half a cosine over n steps is nowhere steeper than pi / 2n of its height.
    steepest = np.pi / 2 / min(frames, COUNT) * np.array([1.0, 1.5])
    assert np.all(np.abs(np.diff(whole)).max(1) < 1.1 * steepest)
    assert np.array_equal(part[:, COUNT:], np.full((2, max(frames - COUNT, 0)), 0.25, np.float32))


def test_cut_ramp_is_the_start_of_the_long_one() -> None:
    declick = DeclickRamps(RATE)
    long, short = np.zeros((1, COUNT), np.float32), np.zeros((1, 7), np.float32)
    declick.join(np.ones(1, np.float32), long)
    declick.join(np.ones(1, np.float32), short, cut=True)
    assert np.array_equal(short, long[:, :7])


def test_rise_and_fall_sum_to_one() -> None:
    for most in (5, COUNT, 1000):
        rise, fall = DeclickRamps(RATE).ramps(most)
        assert len(rise) == min(most, COUNT)
        assert np.allclose(rise + fall, 1)
        assert 0 < rise[0] < rise[-1] < 1
