"""The growth of memory, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.app.diagnostics._memory_slope import memory_slope


def test_steady_growth_is_found_exactly() -> None:
    found = memory_slope(list(range(200)), [100 + 2.0 * t for t in range(200)])
    assert found is not None
    assert found.value == pytest.approx(2.0)
    assert found.interval == pytest.approx((2.0, 2.0))
    assert found.surely_grows


def test_few_samples_give_no_interval() -> None:
    assert memory_slope([0, 1], [5, 6]) is None
    found = memory_slope([0, 1, 2], [5, 6, 7])
    assert found is not None
    assert (found.value, found.interval) == (pytest.approx(1.0), None)


def test_interval_covers_the_truth_in_noise_that_lasts() -> None:
    """Memory moves in steps that last, so neighbouring samples are no independent witnesses."""
    noise = np.random.default_rng(5)
    at = np.arange(720) * 5.0
    covered = 0
    for _ in range(200):
        steps = np.repeat(noise.normal(0, 3, 60), 12)
        found = memory_slope(list(at), list(300 + 1e-3 * at + steps))
        assert found is not None
        assert found.interval is not None
        covered += found.interval[0] <= 1e-3 <= found.interval[1]
    assert covered > 175  # 190 of 200 are expected
