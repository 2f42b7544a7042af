"""F0 from salience, and the likeliest path through it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from voicegraph.nodes.f0._viterbi import REACH, viterbi_path
from voicegraph.nodes.f0.salience_bins import bins_in_range, crepe_cents, decode, to_hertz

pytestmark = pytest.mark.numeric


def _bump(centre: float, bins: int = 360, height: float = 0.8) -> torch.Tensor:
    return height * torch.exp(-0.5 * (torch.arange(bins) - centre).square() / 1.5)


def test_between_two_bins() -> None:
    cents = crepe_cents()
    found = decode(_bump(100.4)[None], cents, 0.03)
    expected = to_hertz(cents[100] + 0.4 * 20)
    assert abs(1200 * (found[0] / expected).log2()) < 0.5


@pytest.mark.parametrize("edge", [0, 359])
def test_at_the_edges_what_is_outside_counts_nothing(edge: int) -> None:
    salience = torch.zeros(1, 360)
    salience[0, edge] = 1
    assert decode(salience, crepe_cents(), 0.03)[0] == to_hertz(crepe_cents())[edge]


def test_threshold_must_be_exceeded() -> None:
    salience = torch.zeros(3, 360)
    salience[:, 50] = torch.tensor([0.03, 0.031, 0.0])
    found = decode(salience.double(), crepe_cents(), 0.03)
    assert (found > 0).tolist() == [False, True, False]
    assert not decode(torch.zeros(1, 360), crepe_cents(), 0.0).any()


def test_bins_in_range_include_both_ends() -> None:
    cents = crepe_cents()
    found = to_hertz(cents)[bins_in_range(cents, 100, 200)]
    assert 100 <= found.min() < found.max() <= 200
    with pytest.raises(ValueError, match=r"it knows 360, from 31\.7 to 2005 Hz"):
        bins_in_range(cents, 300, 301)


def _likelihood(salience: np.ndarray, path: tuple[int, ...]) -> float:
    """Of one path, worked out by itself."""
    share = salience / salience.sum(1, keepdims=True)
    steps = np.maximum(REACH + 1 - np.abs(np.diff(path)), 0)
    if (steps == 0).any():
        return -np.inf
    return float(np.log(share[range(len(path)), path]).sum() + np.log(steps).sum())


@pytest.mark.parametrize("seed", range(3))
def test_no_path_is_likelier(seed: int) -> None:
    chance = np.random.default_rng(seed)
    salience = chance.random((4, 13)) ** 4 + 1e-3
    found = viterbi_path(torch.from_numpy(salience)[None])[0]
    best = max(_likelihood(salience, p) for p in itertools.product(range(13), repeat=4))
    assert _likelihood(salience, tuple(found.tolist())) == pytest.approx(best)


def test_one_frame_s_octave_error_is_passed_over() -> None:
    salience = torch.stack([_bump(100), _bump(100) + 1.1 * _bump(160), _bump(101)])
    assert salience.argmax(1).tolist() == [100, 160, 101]
    assert viterbi_path(salience[None])[0].tolist() == [100, 100, 101]
