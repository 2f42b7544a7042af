"""What is believed of a speaker: people's registers at first, then what was heard."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.nodes.pitch._register_prior import RegisterPrior

from ...tolerance import FLOAT32, assert_close

RATE = 100.0


def _believed(*tracks: np.ndarray) -> np.ndarray:
    """Registers in Hz after tracks of F0 in Hz, one a stream; 0 is not heard."""
    prior = RegisterPrior(RATE)
    hertz = np.stack(tracks)
    counts = hertz > 0
    octaves, heard = np.log2(np.where(counts, hertz, 1.0)), np.cumsum(counts, 1) - counts
    likelihood = prior.update(np.zeros((len(tracks), prior.size)), octaves, counts, heard)
    return 2 ** prior.median(likelihood[:, -1])


def test_who_is_not_heard_is_between_men_and_women() -> None:
    assert 114 < _believed(np.zeros(5))[0] < 191


@pytest.mark.parametrize("hertz", [95.0, 120.0, 180.0, 210.0])
def test_the_first_frame_tells_men_from_women(hertz: float) -> None:
    found = _believed(np.array([hertz]))[0]
    assert (found < 145) == (hertz < 145)
    assert 12 * abs(np.log2(found / hertz)) < 4


@pytest.mark.parametrize("hertz", [80.0, 140.0, 260.0])
def test_it_comes_to_what_is_heard(hertz: float) -> None:
    random = np.random.default_rng(1)
    track = hertz * 2 ** (random.normal(0, 2, 400) / 12)
    assert 12 * abs(np.log2(_believed(track)[0] / hertz)) < 1


def test_slips_by_an_octave_hardly_count() -> None:
    steady = np.full(200, 120.0)
    slips = steady.copy()
    slips[4::8] *= 2
    clean, slipped = _believed(steady, slips)
    assert 12 * abs(np.log2(slipped / clean)) < 0.5


def test_streams_are_apart() -> None:
    low, high = np.full(50, 100.0), np.full(50, 220.0)
    together = _believed(low, high)
    assert_close(together, [_believed(low)[0], _believed(high)[0]], FLOAT32)


def test_it_gives_way() -> None:
    share = RegisterPrior(RATE).weight(np.array([0, 300, 3000]))
    np.testing.assert_allclose(share, [1.0, np.exp(-1), 0.0], rtol=1e-6)
