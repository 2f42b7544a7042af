"""Level of an output against its source."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import Heard, metrics, observers
from voicegraph.experiments.evaluation import Observations, evaluate

RATE = 16000
BY = "contour.level"


def _values(made: np.ndarray, source: np.ndarray) -> dict[str, float | None]:
    sides = [
        Observations({BY: observers.hear(BY, sound.astype(np.float32), RATE)})
        for sound in (made, source)
    ]
    heard = Heard(made=sides[0], source=sides[1], given={})
    return {found.name: evaluate(found, heard).value for found in metrics.ask("level")}


def _syllables() -> np.ndarray:
    noise = 0.1 * np.random.default_rng(1).standard_normal(3 * RATE)
    return noise * (1 + np.sin(2 * np.pi * 3 * np.arange(3 * RATE) / RATE)) / 2


def test_a_gain_changes_the_level_and_not_the_contour() -> None:
    found = _values(_syllables() / 2, _syllables())
    assert found["level.change"] == pytest.approx(-6.02, abs=0.01)
    assert found["level.contour"] == pytest.approx(0, abs=0.01)
    assert found["level.clipped"] == 0


def test_flattened_syllables_change_the_contour() -> None:
    source = _syllables()
    flat = 0.1 * np.random.default_rng(2).standard_normal(len(source))
    found = _values(flat, source)
    assert found["level.contour"] is not None
    assert found["level.contour"] > 3
