"""Overruns: the node that caused them, and advice."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.graph.live._overruns import (
    SYSTEM,
    Advice,
    AdviceMemory,
    OverrunAttribution,
    overrun_advice,
)
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.timing import Timing
from voicegraph.schemas.live_status import LateReport

BLOCK = 0.1


def _usual(attribution: OverrunAttribution, **nodes: float) -> None:
    for _ in range(30):
        attribution.take({**nodes, "total": sum(nodes.values())})


def test_slower_than_usual_node_is_named() -> None:
    attribution = OverrunAttribution()
    _usual(attribution, f0=0.06, synth=0.01)
    attribution.take({"f0": 0.065, "synth": 0.05, "total": 0.115})
    assert attribution.attribute(BLOCK) == "synth"
    assert attribution.counts == {"synth": 1}
    assert attribution.total_s == pytest.approx(0.115)


def test_usual_times_mean_the_system() -> None:
    attribution = OverrunAttribution()
    _usual(attribution, f0=0.02, synth=0.01)
    attribution.take({"f0": 0.02, "synth": 0.012, "total": 0.032})
    assert attribution.attribute(BLOCK) == SYSTEM


def test_always_slow_node_is_named() -> None:
    attribution = OverrunAttribution()
    _usual(attribution, f0=0.11, synth=0.02)
    assert attribution.attribute(BLOCK) == "f0"


def test_system_is_named_before_any_block() -> None:
    assert OverrunAttribution().attribute(BLOCK) == SYSTEM


def test_swapped_node_is_not_named() -> None:
    attribution = OverrunAttribution()
    _usual(attribution, f0=0.02, old=0.01)
    attribution.take({"f0": 0.02, "old": 0.09, "total": 0.11})
    for _ in range(3):
        attribution.take({"f0": 0.02, "total": 0.02})
    assert attribution.attribute(BLOCK) == SYSTEM
    attribution.take({"f0": 0.12, "total": 0.12})
    assert attribution.attribute(BLOCK) == "f0"


def test_one_slow_block_hardly_changes_usual_time() -> None:
    attribution = OverrunAttribution()
    _usual(attribution, f0=0.01)
    attribution.take({"f0": 5.0, "total": 5.0})
    attribution.take({"f0": 0.03, "total": 0.03})
    assert attribution.attribute(BLOCK) == "f0"


LATE = LateReport(blocks=9, last_minute=9, dropped=0, worst_ms=30)


@pytest.fixture(scope="module")
def world() -> Plan:
    return Pipeline.load("world", {"nodes.f0.use": "f0.harvest"}).compile()


def _advice(plan: Plan, late: LateReport = LATE, total: float = 120.0, **nodes: float) -> Any:
    timings = {n.name: Timing(nodes.get(n.name, 0.1), 1, 1, 100) for n in plan.nodes}
    timings["total"] = Timing(0.9 * total, total, total, 100)
    found = overrun_advice(plan, timings, late, 1e3 * float(plan.block))
    return [advice.text for advice in found]


def test_no_advice_without_overruns(world: Plan) -> None:
    few = LATE.model_copy(update={"last_minute": 2})
    assert _advice(world, few) == []


def test_no_advice_before_any_measurement(world: Plan) -> None:
    timings = {n.name: Timing(0, 0, 0, 0) for n in world.nodes}
    assert overrun_advice(world, {**timings, "total": Timing(0, 0, 0, 0)}, LATE, 100) == []


def test_costly_tracker_gets_a_cheaper_proposal(world: Plan) -> None:
    first, *_, last = _advice(world, f0=90)
    fix = "--set nodes.f0.use=f0.dio"
    assert first == f"f0 takes 90 of 100 ms: a cheaper tracker is {fix}"
    Pipeline.load("world", set_args=[fix.removeprefix("--set ")]).compile()
    assert last == "blocks take 120 of 100 ms: a larger block is --set block=150ms"
    Pipeline.load("world", set_args=["block=150ms"]).compile()


def test_cheapest_tracker_is_not_proposed_again() -> None:
    plan = Pipeline.load("world", {"nodes.f0.use": "f0.dio"}).compile()
    assert _advice(plan, f0=90) == [
        "blocks take 120 of 100 ms: a larger block is --set block=150ms"
    ]


def test_cheap_nodes_get_no_advice(world: Plan) -> None:
    assert len(_advice(world, f0=5)) == 1


def test_enough_compute_time_blames_the_machine(world: Plan) -> None:
    [text] = _advice(world, total=40.0)
    assert "another program takes the processor" in text
    assert "--margin 10ms" in text


def test_proposed_block_is_larger_than_the_present() -> None:
    nodes = {"pass": node("dsp.gain", "input")}
    plan = Pipeline(block="10ms", nodes=nodes, output="pass").compile()
    [text] = _advice(plan, total=8.6)
    assert text.endswith("--set block=20ms")


def test_advice_keeps_its_words_while_digits_vary() -> None:
    memory = AdviceMemory()
    first = memory.update([Advice("block", "", "block=130ms", 130.0)])
    told = {
        text
        for i in range(95)
        for text in memory.update([Advice("block", "", f"block={120 + i % 30}ms", 120.0 + i % 30)])
    }
    assert told == set(first) == {"block=130ms"}
    # Another node, another kind, or clearly more than before is other advice.
    other = [Advice("tracker", "f0", "dio"), Advice("context", "voice", "shorter")]
    assert memory.update(other) == ["dio", "shorter"]
    assert memory.update([Advice("block", "", "block=200ms", 200.0)]) == ["block=200ms"]
