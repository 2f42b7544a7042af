"""Bootstrap confidence intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from voicegraph.training.evaluate._bootstrap import difference, mean


def test_intervals_cover_the_true_mean() -> None:
    random = np.random.default_rng(1)
    found = [mean(random.normal(3.0, 2.0, 24), seed, draws=400) for seed in range(400)]
    held = np.mean([each.low <= 3.0 <= each.high for each in found])
    # 24 speakers make the percentile bootstrap a little too sure: 93 % is usual.
    assert 0.90 < held < 0.97
    assert np.mean([each.high < 3.0 for each in found]) > 0.01
    assert np.mean([each.low > 3.0 for each in found]) > 0.01


def test_seed_decides_the_interval() -> None:
    values = np.random.default_rng(5).normal(4, 1, 10)
    assert mean(values, 3) == mean(values, 3)
    assert mean(values, 3) != mean(values, 4)
    assert mean(values, 3).value == pytest.approx(values.mean())


def test_nan_values_are_left_out() -> None:
    found = mean([1.0, math.nan, 3.0])
    assert (found.value, found.count) == (2.0, 2)
    nothing = mean([math.nan])
    assert math.isnan(nothing.value)
    assert nothing.count == 0
    assert not nothing.significant


def test_paired_difference_is_significant() -> None:
    random = np.random.default_rng(2)
    speakers = random.normal(0, 1, 24)
    better = speakers + 0.1 + random.normal(0, 0.05, 24)
    paired = difference(better, speakers)
    assert paired.significant
    assert paired.value == pytest.approx(0.1, abs=0.03)
    assert mean(better).low < mean(speakers).high
    assert not difference(speakers, speakers).significant
    with pytest.raises(ValueError, match="cannot be paired"):
        difference(speakers, speakers[1:])
