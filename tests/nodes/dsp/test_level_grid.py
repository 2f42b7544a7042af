"""The 10 ms grid that ``dsp.gate`` and ``dsp.rms_mix`` stand on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.nodes.dsp._level_grid import STEP, Grid, mean_squares, step_overhang

from ...tolerance import FLOAT32, assert_close

RATES = st.sampled_from([100, 8000, 11025, 22050, 44100, 48000])


@given(first=st.integers(-5000, 5000), count=st.integers(1, 3000), rate=RATES)
def test_edges_enclose_the_samples_and_no_more(first: int, count: int, rate: int) -> None:
    grid = Grid.at(Fraction(rate))
    low, high = grid.steps(first, count)
    edges = grid.edges(low, high)
    assert edges[0] <= first < edges[1]
    assert edges[-2] <= first + count - 1 < edges[-1]
    at = [k * rate // 100 for k in range(-6001, 6002)]
    assert set(edges.tolist()) <= set(at)
    assert len(edges) == at.index(edges[-1]) - at.index(edges[0]) + 1
    more = grid.edges(low - 2, high + 1)
    assert more[2:-1].tolist() == edges.tolist()


@given(
    block=st.integers(1, 500),
    behind=st.integers(0, 60),
    ticks=st.integers(1, 400),
)
def test_reach_is_enough_and_no_more_than_a_step(block: int, behind: int, ticks: int) -> None:
    found = step_overhang(Fraction(block, 1000), Fraction(-behind, 1000))
    assert 0 <= found < STEP
    end = Fraction(ticks * block - behind, 1000)
    if end > 0:
        last_step_ends = -(-end // STEP) * STEP
        assert last_step_ends <= end + found


@pytest.mark.parametrize(
    ("block", "end", "expected"), [(10, 0, 0), (7, 0, 9), (10, -3, 3), (5, 0, 5)]
)
def test_reach_of_common_blocks(block: int, end: int, expected: int) -> None:
    assert step_overhang(Fraction(block, 1000), Fraction(end, 1000)) == Fraction(expected, 1000)


def test_mean_squares_are_over_four_steps_and_all_channels() -> None:
    audio = np.random.default_rng(0).normal(0, 1, (2, 3, 70)).astype(np.float32)
    cuts = np.array([5, 15, 24, 35, 44, 55, 66])
    found = mean_squares(audio, cuts)
    expected = [
        np.mean(audio[:, :, a:b] ** 2, axis=(1, 2)) for a, b in ((5, 44), (15, 55), (24, 66))
    ]
    assert_close(found, np.stack(expected, 1), FLOAT32)


def test_streams_at_one_place_run_together() -> None:
    calls = []

    def run(phase: int, rows: slice) -> torch.Tensor:
        calls.append((phase, rows))
        return torch.full((len(range(3)[rows]),), phase)

    grid = Grid.at(Fraction(8000))
    assert grid.by_phase(torch.tensor([85, 165, 5]), run).tolist() == [5, 5, 5]
    assert len(calls) == 1
    assert grid.by_phase(torch.tensor([85, -3, 5]), run).tolist() == [5, 77, 5]
    assert len(calls) == 4
