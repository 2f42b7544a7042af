"""Gain as a condition, and how conditions are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import conditions
from voicegraph.graph.errors import PipelineError


def test_gain_is_in_db() -> None:
    name, params = conditions.ask({"gain": -20})
    made, _ = conditions.apply(name, params, np.full(100, 0.5, np.float32), 16000, 1, "c")
    np.testing.assert_allclose(made, 0.05, rtol=1e-6)


def test_levels_that_are_conditions_are_known_by_their_first_key() -> None:
    assert conditions.is_condition({"noise": "pink", "snr": 3})
    assert not conditions.is_condition({"use": "f0.dio"})
    assert not conditions.is_condition({})
    assert not conditions.is_condition(None)


def test_unknown_conditions_get_the_nearest() -> None:
    with pytest.raises(PipelineError, match="no condition is called 'nois'") as caught:
        conditions.ask({"nois": "pink"})
    assert caught.value.problems[0].fix == "noise"
