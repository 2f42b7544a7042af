"""Costs of plans in turns: what is counted, and intervals over repetitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from voicegraph.graph.metrics.cost_in_turns import measure_in_turns, repetitions_for
from voicegraph.graph.metrics.mean_interval import mean_interval
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.schemas.engine_setup import EngineSetup, ThreadLayout

SETUP = EngineSetup(threads=ThreadLayout(main=1))


def gain_plan(count: int) -> Callable[[], tuple[Plan, EngineSetup]]:
    nodes = {f"g{i}": node("dsp.gain", f"g{i - 1}" if i else "input") for i in range(count)}
    pipeline = Pipeline(block="10ms", nodes=nodes, output=f"g{count - 1}")
    return lambda: (pipeline.compile(), SETUP)


def test_both_sides_have_all_repetitions_and_nodes() -> None:
    one, two = measure_in_turns([gain_plan(1), gain_plan(3)], blocks=64)
    assert one.cpu.shape == one.wall.shape == two.cpu.shape == (repetitions_for(64), 8)
    assert list(two.nodes) == ["g0", "g1", "g2"]
    assert all(times.shape == two.cpu.shape for times in two.nodes.values())
    assert (two.wall > 0).all()


def test_nodes_are_left_as_they_were() -> None:
    plan, setup = gain_plan(1)()
    measure_in_turns([lambda: (plan, setup)], blocks=8)
    assert "process" not in vars(plan.nodes[0].node)


def test_interval_of_a_mean_is_that_of_students_t() -> None:
    mean, low, high = mean_interval([1.0, 2.0, 3.0])
    # t(.975, 2) = 4.302653, s / sqrt(3) = .577350
    assert (mean, low, high) == pytest.approx((2.0, 2 - 2.484138, 2 + 2.484138), abs=1e-5)
    assert mean_interval(np.array([5.0])) == (5.0, 5.0, 5.0)
