"""What would fit, where a session keeps being late."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.graph.live._overrun_advice import advise
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.timing import Timing
from voicegraph.schemas.live_status import LateReport

LATE = LateReport(blocks=9, last_minute=9, dropped=0, worst_ms=30)


@pytest.fixture(scope="module")
def world() -> Plan:
    return Pipeline.load("world", {"nodes.f0.use": "f0.harvest"}).compile()


def _advice(plan: Plan, late: LateReport = LATE, total: float = 120.0, **nodes: float) -> Any:
    timings = {n.name: Timing(nodes.get(n.name, 0.1), 1, 1, 100) for n in plan.nodes}
    timings["total"] = Timing(0.9 * total, total, total, 100)
    return advise(plan, timings, late, 1e3 * float(plan.block))


def test_nothing_while_all_is_well(world: Plan) -> None:
    few = LATE.model_copy(update={"last_minute": 2})
    assert _advice(world, few) == []


def test_nothing_before_anything_was_measured(world: Plan) -> None:
    timings = {n.name: Timing(0, 0, 0, 0) for n in world.nodes}
    assert advise(world, {**timings, "total": Timing(0, 0, 0, 0)}, LATE, 100) == []


def test_a_costly_tracker_can_be_another_one(world: Plan) -> None:
    first, *_, last = _advice(world, f0=90)
    fix = "--set nodes.f0.use=f0.dio"
    assert first == f"f0 takes 90 of 100 ms: a cheaper tracker is {fix}"
    Pipeline.load("world", set_args=[fix.removeprefix("--set ")]).compile()
    assert last == "blocks take 120 of 100 ms: a larger block is --set block=150ms"
    Pipeline.load("world", set_args=["block=150ms"]).compile()


def test_the_cheapest_tracker_is_not_proposed_again() -> None:
    plan = Pipeline.load("world", {"nodes.f0.use": "f0.dio"}).compile()
    assert _advice(plan, f0=90) == [
        "blocks take 120 of 100 ms: a larger block is --set block=150ms"
    ]


def test_nodes_that_take_little_are_left_alone(world: Plan) -> None:
    assert len(_advice(world, f0=5)) == 1


def test_where_there_would_be_time_it_is_the_machine(world: Plan) -> None:
    [text] = _advice(world, total=40.0)
    assert "another program takes the processor" in text
    assert "--margin 10ms" in text


def test_a_larger_block_is_larger_than_this_one() -> None:
    nodes = {"pass": node("dsp.gain", "input")}
    plan = Pipeline(block="10ms", nodes=nodes, output="pass").compile()
    [text] = _advice(plan, total=8.6)
    assert text.endswith("--set block=20ms")
