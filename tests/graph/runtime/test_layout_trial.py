"""The trial of thread layouts, with given times: no test here measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime import _layout_trial as layout_trial
from voicegraph.graph.runtime.engine import Engine
from voicegraph.schemas.engine_setup import ThreadLayout

Build = Callable[..., Pipeline]
Time = Callable[[ThreadLayout, int], float]
MS = 1_000_000
NOISE = torch.zeros(1, 1, 12)


@pytest.fixture(autouse=True)
def four() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def choose(build: Build, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Engine]:
    """``choose(time)``: an engine after a trial in which ``time(layout, tick)`` is a tick in ms."""

    def run(time: Time, cost_ms: dict[str, float] | None = None) -> Engine:
        nodes: dict[str, Any] = {
            "left": node("test.slow", "input"),
            "right": node("test.slow", "input"),
            "total": node("test.total", "right"),
            "both": node("test.sum", {"one": "left", "other": "total"}),
        }
        plan = build(nodes).compile()
        engine = Engine(plan, 1, {name: torch.device("cpu") for name in nodes})
        costs = cost_ms or {"left": 90, "right": 60, "total": 20, "both": 0.1}
        for step in engine.steps:
            step.ring.add(int(costs[step.name] * MS))
        ticks = 0

        def tick(found: Engine, noise: torch.Tensor) -> int:
            nonlocal ticks
            ticks += 1
            assert torch.get_num_threads() == found.layout.main
            return int(time(found.layout, ticks) * MS)

        monkeypatch.setattr(layout_trial, "_timed_tick", tick)
        layout_trial.choose_layout(engine, NOISE)
        if engine.pool is not None:
            engine.pool.shutdown()
        return engine

    return run


def _branch(layout: ThreadLayout) -> tuple[str, int, int]:
    """First node on a worker, threads of the main thread and of the worker."""
    if not layout.workers:
        return "", layout.main, 0
    return layout.workers[0].nodes[0], layout.main, layout.workers[0].threads


def test_every_division_of_the_threads_is_tried(choose: Callable[..., Engine]) -> None:
    engine = choose(lambda layout, tick: 180)
    assert {_branch(way.layout) for way in engine.tried} == {
        ("", 4, 0),
        *((name, *counts) for name in ("left", "right") for counts in ((4, 1), (3, 1), (2, 2))),
    }


def test_the_fastest_way_is_chosen_at_its_thread_counts(choose: Callable[..., Engine]) -> None:
    times = {("right", 3, 1): 110, ("right", 4, 1): 120, ("left", 2, 2): 115}
    engine = choose(lambda layout, tick: times.get(_branch(layout), 180))
    assert _branch(engine.layout) == ("right", 3, 1)
    assert engine.layout.workers[0].nodes == ["right", "total"]
    assert torch.get_num_threads() == 3


def test_a_small_gain_leaves_all_in_a_row(choose: Callable[..., Engine]) -> None:
    engine = choose(lambda layout, tick: 176 if layout.workers else 180)
    assert engine.layout == ThreadLayout(main=4)
    assert torch.get_num_threads() == 4


def test_other_load_decides_nothing(choose: Callable[..., Engine]) -> None:
    """The row's first turns are disturbed; it is still the fastest."""
    engine = choose(lambda layout, tick: 170 + (400 if tick < 9 and not layout.workers else 0))
    assert engine.layout == ThreadLayout(main=4)
    lucky = choose(lambda layout, tick: 100 if layout.workers and tick == 2 else 180)
    assert lucky.layout == ThreadLayout(main=4)


def test_the_heavier_branch_stays_where_the_threads_are(choose: Callable[..., Engine]) -> None:
    costs = {"left": 200, "right": 60, "total": 20, "both": 0.1}
    engine = choose(lambda layout, tick: 100, costs)
    assert {_branch(way.layout)[0] for way in engine.tried} == {"", "right"}


def test_hopeless_ways_get_two_turns(choose: Callable[..., Engine]) -> None:
    seen: list[int] = []

    def time(layout: ThreadLayout, tick: int) -> float:
        seen.append(layout.main)
        return 100 if layout.main == 4 else 900

    choose(time)
    assert seen.count(2) == 2 * 3  # two branches; the first turn has a tick more
    assert seen.count(4) == 3 * 6


def test_cheap_nodes_are_not_moved(choose: Callable[..., Engine]) -> None:
    costs = {"left": 100, "right": 0.1, "total": 0.1, "both": 0.1}
    engine = choose(lambda layout, tick: 100, costs)
    assert engine.tried == []


def test_a_failing_trial_restores_the_thread_count(choose: Callable[..., Engine]) -> None:
    def fail(layout: ThreadLayout, tick: int) -> float:
        if layout.main == 2:
            raise RuntimeError("a node failed")
        return 100

    with pytest.raises(RuntimeError, match="a node failed"):
        choose(fail)
    assert torch.get_num_threads() == 4
