"""The engine: slots, histories, the output, steps on workers, failures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import NodeFailedError
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime._edges import HistoryEdge
from voicegraph.graph.runtime.engine import Engine
from voicegraph.graph.runtime.thread_layout import apply_layout
from voicegraph.schemas.engine_setup import ThreadLayout, WorkerThread

Build = Callable[..., Pipeline]
BLOCK = 12
NOISE = np.random.default_rng(3).integers(-9, 10, 240).astype(np.float32)


def engine(plan: Plan, streams: int = 1) -> Engine:
    cpu = torch.device("cpu")
    return Engine(plan, streams, {planned.name: cpu for planned in plan.nodes})


def run(found: Engine, x: np.ndarray = NOISE) -> np.ndarray:
    made = []
    with torch.inference_mode():
        for at in range(0, len(x), BLOCK):
            block = torch.from_numpy(x[at : at + BLOCK]).view(1, 1, -1)
            made.append(found.tick(block).clone())
    return torch.cat(made, 2)[0, 0].numpy()


def test_port_without_look_back_has_no_history(build: Build) -> None:
    nodes = {"a": node("test.shift", "input"), "b": node("test.scale", "a")}
    assert engine(build(nodes).compile()).histories == {}


def test_one_history_serves_all_readers_of_a_port(build: Build) -> None:
    nodes = {
        "near": node("test.around", "input", back=3),
        "far": node("test.around", "input", back=50),
        "both": node("test.sum", {"one": "near", "other": "far"}),
    }
    found = engine(build(nodes).compile())
    assert list(found.histories) == ["input.audio@cpu"]
    assert found.histories["input.audio@cpu"].buffer.shape == (1, 1, BLOCK + 50)


def test_output_is_newest_block_of_its_port(build: Build) -> None:
    """All outputs of a node end at one time; with a slower output, at the end of its frame."""
    nodes = {
        "sum": node("test.sum", {"one": "input", "other": "late"}),
        "ahead": node("test.around", "sum", ahead=7),
        "meter": node("test.meter", "ahead"),
        "held": node("test.hold", "meter.level", by=12),
        "late": node("test.shift", "held", by=100),
    }
    plan = build(nodes, "meter").compile()
    assert plan.latency_out == 12
    assert plan.find("meter").asked["out"].interval.end == -plan.latency.algorithmic
    longer = build(nodes, "meter", block="40ms").compile()
    with longer.session(warm_up=False) as session:
        np.testing.assert_array_equal(run(engine(plan)), session.push(NOISE))


def test_window_output_gives_newest_block(build: Build) -> None:
    """The output may be pitch, with a window longer than a block."""
    nodes = {"f0": node("test.tracker", "input"), "wide": node("test.widetracker", "input")}
    plan = build(nodes, "wide", input={"rate": 16000}).compile()
    assert plan.find("wide").asked["pitch"].count == 5
    with plan.session(warm_up=False) as session:
        assert session.process(np.zeros(160, np.float32)).tolist() == [5]


def test_the_input_itself_may_be_the_output(build: Build) -> None:
    found = engine(build({"idle": node("test.shift", "input")}, "input").compile())
    np.testing.assert_array_equal(run(found), NOISE)


def test_the_times_of_a_tick_lie_within_it(build: Build) -> None:
    nodes = {"a": node("test.slow", "input"), "b": node("test.slow", "a", wait=0.001)}
    found = engine(build(nodes).compile())
    run(found)
    for i in range(20):
        parts = [step.ring.values[i] for step in found.steps]
        assert parts[0] >= 2_000_000
        assert sum(parts) <= found.total.values[i]


def test_trace_hook_is_called_for_every_node(build: Build) -> None:
    nodes = {"a": node("test.slow", "input"), "b": node("test.slow", "a")}
    found = engine(build(nodes).compile())
    heard: list[tuple[str, int, int, int]] = []
    found.trace = lambda *event: heard.append(event)
    run(found, NOISE[: 2 * BLOCK])
    assert [(name, lane) for name, _, _, lane in heard] == [("a", 0), ("b", 0)] * 2
    ends = [start + took for _, start, took, _ in heard]
    assert all(start >= end for (_, start, _, _), end in zip(heard[1:], ends, strict=False))


# ---- workers ------------------------------------------------------------------------------------


def threaded(found: Engine, *names: str) -> Engine:
    """The engine with these steps on workers, without a measurement."""
    workers = [WorkerThread(nodes=[name], threads=1) for name in names]
    apply_layout(found, ThreadLayout(main=found.threads, workers=workers))
    return found


def test_worker_gives_identical_output(build: Build) -> None:
    nodes = {
        "one": node("test.slow", "input", wait=0.001),
        "other": node("test.slow", "input", wait=0.001),
        "total": node("test.total", "other"),
        "both": node("test.sum", {"one": "one", "other": "total"}),
        "past": node("test.around", "both", back=20),
    }
    plan = build(nodes).compile()
    found = threaded(engine(plan), "one", "other")
    np.testing.assert_array_equal(run(found), run(engine(plan)))
    assert found.by_name["total"].waits == (found.by_name["other"],)
    assert found.by_name["both"].waits == (found.by_name["one"],)
    assert found.by_name["past"].waits == ()


def test_worker_reads_history_before_overwrite(build: Build) -> None:
    """`second` runs first and reads the previous output of `first`, which must wait for it."""
    nodes = {
        "second": node("test.slowecho", {"audio": "input", "back": "first"}, by=BLOCK),
        "first": node("test.shift", "mix", by=BLOCK),
        "mix": node("test.sum", {"one": "input", "other": "second"}),
        "both": node("test.sum", {"one": "mix", "other": "first"}),
    }
    plan = build(nodes).compile()
    found = threaded(engine(plan), "second")
    assert [step.name for step in found.steps] == ["second", "first", "mix", "both"]
    assert found.by_name["first"].waits == (found.by_name["second"],)
    np.testing.assert_array_equal(run(found), run(engine(plan)))


def test_failing_worker_raises_and_others_finish(build: Build) -> None:
    nodes = {
        "bad": node("test.slow", "input"),
        "slow": node("test.slow", "input", wait=0.05),
        "both": node("test.sum", {"one": "bad", "other": "slow"}),
    }
    found = threaded(engine(build(nodes).compile()), "bad", "slow")
    before = threading.active_count()

    def fail(*_: Any) -> Any:
        raise RuntimeError("a driver went away")

    found.by_name["bad"].node.process = fail  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(NodeFailedError, match="RuntimeError: a driver went away") as caught:
        run(found, NOISE[:BLOCK])
    assert caught.value.node == "bad"
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert all(step.future is None for step in found.steps)
    assert found.by_name["slow"].outputs["out"].shape == (1, 1, BLOCK)  # it was waited for
    assert found.pool is not None
    found.pool.shutdown()
    assert threading.active_count() <= before


# ---- edges --------------------------------------------------------------------------------------


def test_a_history_keeps_exactly_the_newest_values(build: Build) -> None:
    plan = build({"a": node("test.around", "input", back=30)}).compile()
    found = engine(plan, 2)
    history = found.histories["input.audio@cpu"]
    assert isinstance(history, HistoryEdge)
    x = torch.arange(2 * 60, dtype=torch.float32).view(2, 1, 60)
    with torch.inference_mode():
        for at in range(0, 60, BLOCK):
            found.tick(x[:, :, at : at + BLOCK])
    assert torch.equal(history.buffer, x[:, :, 60 - 42 :])


def test_reset_empties_the_histories_of_one_stream(build: Build) -> None:
    found = engine(build({"a": node("test.around", "input", back=30)}).compile(), 2)
    with torch.inference_mode():
        found.tick(torch.ones(2, 1, BLOCK))
    found.reset(stream=0)
    sums = found.histories["input.audio@cpu"].buffer.sum((1, 2)).tolist()
    assert sums == [0, BLOCK]
