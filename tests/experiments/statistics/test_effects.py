"""Main effects and interactions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from voicegraph.experiments.statistics.effects import factor_effects
from voicegraph.experiments.statistics.speakers import Unit

FACTORS = {"tracker": ("dio", "swift"), "noise": ("clean", "pink")}


def _values(speakers: int) -> dict[tuple[str, ...], dict[Unit, float]]:
    random = np.random.default_rng(1)
    means = {("dio", "clean"): 1.0, ("dio", "pink"): 2.0, ("swift", "clean"): 1.5}
    means["swift", "pink"] = 4.5
    return {
        levels: {Unit(f"s{i}", f"c{i}"): mean + random.normal() / 10 for i in range(speakers)}
        for levels, mean in means.items()
    }


def test_effects_of_factors_and_of_their_pair() -> None:
    values = _values(8)
    found = factor_effects(values, FACTORS)
    tracker, noise, both = found.effects
    assert tracker.means["swift",] - tracker.means["dio",] == pytest.approx(1.5, abs=0.2)
    assert noise.means["pink",] - noise.means["clean",] == pytest.approx(2.0, abs=0.2)
    assert both.interaction["swift", "pink"] == pytest.approx(0.5, abs=0.1)
    assert sum(both.interaction.values()) == pytest.approx(0, abs=1e-12)
    gains = [
        np.mean([values["swift", n][u] - values["dio", n][u] for n in FACTORS["noise"]])
        for u in values["dio", "clean"]
    ]
    # With two levels, F of repeated measures is the square of the paired t.
    assert tracker.f == pytest.approx(float(np.asarray(stats.ttest_1samp(gains, 0))[0]) ** 2)


def test_what_cannot_be_computed_has_a_reason() -> None:
    values = _values(4)
    assert factor_effects(values, FACTORS).effects[0].why.startswith("4 speakers have values")
    del values["dio", "pink"]
    assert "dio/pink" in factor_effects(values, FACTORS).why
    assert factor_effects({}, FACTORS).effects == ()
