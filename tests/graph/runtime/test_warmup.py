"""Before the first block: weights once per plan, a reset after the warm-up, useful workers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.node import Node, Tensors
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.precision import PrecisionChoice
from voicegraph.graph.runtime._warmup import load_weights
from voicegraph.graph.signals import Audio

Build = Callable[..., Pipeline]
NOISE = np.random.default_rng(9).integers(-9, 10, 240).astype(np.float32)


class Heavy(Node):
    """Counts how often its weights are loaded."""

    loads: ClassVar[list[str]] = []
    audio = In(Audio)
    out = Out(Audio, like="audio")

    def load(self, params: Any, device: torch.device, dtype: torch.dtype) -> None:
        if self.name == "missing":
            raise PipelineError(Problem("no-such-file", "heavy.pt is not there", fix="--set ..."))
        self.loads.append(f"{self.name} {device} {dtype}")

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        return {"out": inputs["audio"] * 1}


@pytest.fixture
def heavy() -> Iterator[type[Heavy]]:
    Heavy.loads.clear()
    with registry.isolated({"test.heavy": Heavy}):
        yield Heavy


def test_weights_are_loaded_once_a_plan(build: Build, heavy: type[Heavy]) -> None:
    pipeline = build({"a": node("test.heavy", "input"), "b": node("test.heavy", "a")})
    plan = pipeline.compile()
    assert heavy.loads == []
    with plan.session(), plan.session(3), plan.session():
        assert heavy.loads == ["a cpu torch.float32", "b cpu torch.float32"]
    pipeline.compile().session().close()
    assert len(heavy.loads) == 4


class Choosing(Heavy):
    """Takes bfloat16 if it may choose."""

    dtypes = ("float32", "int8", "bfloat16")
    questions: ClassVar[list[str]] = []

    def choose_precision(self, params: Any, device: torch.device) -> PrecisionChoice:
        self.questions.append(f"{device}, {torch.get_num_threads()} threads")
        return PrecisionChoice("bfloat16", {"float32": 2.0, "bfloat16": 1.0})


def test_a_node_chooses_its_precision_with_the_threads_of_the_session(build: Build) -> None:
    Choosing.loads.clear()
    Choosing.questions.clear()
    with registry.isolated({"test.choosing": Choosing}):
        nodes = {
            "a": {**node("test.choosing", "input"), "dtype": "auto"},
            "b": {**node("test.choosing", "a"), "dtype": "int8"},
            "c": node("test.choosing", "b"),
        }
        plan = build(nodes, threads=1).compile()
        with plan.session(), plan.session():
            pass
    assert Choosing.questions == ["cpu, 1 threads"]
    assert Choosing.loads == ["a cpu torch.bfloat16", "b cpu torch.int8", "c cpu torch.float32"]
    assert plan.precisions["a"].milliseconds["bfloat16"] == 1.0
    assert plan.precisions["b"] == PrecisionChoice("int8")


def test_a_precision_that_is_given_is_not_chosen(build: Build) -> None:
    """As in a replay, which uses what the recorded session used."""
    Choosing.loads.clear()
    Choosing.questions.clear()
    with registry.isolated({"test.choosing": Choosing}):
        chosen = {**node("test.choosing", "input"), "dtype": "auto"}
        plan = build({"a": chosen, "b": node("test.choosing", "a")}).compile()
        devices = {"a": torch.device("cpu"), "b": torch.device("cpu")}
        given = {"a": PrecisionChoice("int8"), "b": PrecisionChoice("bfloat16")}
        load_weights(plan, devices, given)
    assert Choosing.questions == []
    assert Choosing.loads == ["a cpu torch.int8", "b cpu torch.float32"]


def test_a_precision_that_this_machine_lacks_is_chosen_anew(build: Build) -> None:
    Choosing.loads.clear()
    with registry.isolated({"test.choosing": Choosing}):
        plan = build({"a": {**node("test.choosing", "input"), "dtype": "auto"}}).compile()
        load_weights(plan, {"a": torch.device("cpu")}, {"a": PrecisionChoice("float8")})
    assert Choosing.loads == ["a cpu torch.bfloat16"]
    assert plan.precisions["a"].dtype == "bfloat16"


def test_a_swap_keeps_what_a_node_that_stays_has_chosen(build: Build) -> None:
    Choosing.loads.clear()
    Choosing.questions.clear()
    with registry.isolated({"test.choosing": Choosing}):
        chosen = {**node("test.choosing", "input"), "dtype": "auto"}
        pipeline = build({"a": chosen, "b": node("dsp.gain", "a")})
        with pipeline.compile().session() as session:
            session.swap("b", "dsp.delay")
            while not session.swaps:
                session.push(NOISE)
            assert session.setup.nodes["a"].precision == "bfloat16"
            assert session.setup.nodes["a"].trial_ms["bfloat16"] == 1.0
    assert Choosing.loads == ["a cpu torch.bfloat16"] * 2
    assert len(Choosing.questions) == 1


def test_sessions_opened_at_once_load_once(build: Build, heavy: type[Heavy]) -> None:
    plan = build({"a": node("test.heavy", "input")}).compile()
    barrier = threading.Barrier(4)

    def open_one(_: int) -> None:
        barrier.wait()
        plan.session(warm_up=False).close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_one, range(4)))
    assert len(heavy.loads) == 1


def test_weights_that_fail_can_be_tried_again(build: Build, heavy: type[Heavy]) -> None:
    nodes = {"first": node("test.heavy", "input"), "missing": node("test.heavy", "first")}
    plan = build(nodes).compile()
    for _ in range(2):
        with pytest.raises(PipelineError, match=r"heavy\.pt is not there"):
            plan.session()
    assert plan.loaded == {"first": "cpu"}
    assert len(heavy.loads) == 1


def fork(wait: float = 0.01, **others: Any) -> dict[str, Any]:
    """Two costly parallel branches."""
    return {
        "left": node("test.slow", "input", wait=wait),
        "right": node("test.slow", "input", wait=wait),
        "total": node("test.total", "right"),
        "both": node("test.sum", {"one": "left", "other": "total"}),
        **others,
    }


def test_costly_parallel_branch_moves_to_worker(build: Build) -> None:
    """Two sleeps of 20 ms in parallel take 20 ms on any machine."""
    plan = build(fork(0.02)).compile()
    with plan.session() as session, plan.session(workers=False) as alone:
        (note,) = session.notes
        assert re.fullmatch(
            r"(left runs|right, total run) on a worker thread, which saves [\d.]+ ms a block", note
        )
        assert alone.notes == []
        np.testing.assert_array_equal(session.push(NOISE[:60]), alone.push(NOISE[:60]))
        lanes = {step.name: step.lane for step in session.engine.steps}
        moved = {"left": 1} if note.startswith("left") else {"right": 1, "total": 1}
        assert lanes == {"left": 0, "right": 0, "total": 0, "both": 0} | moved
        assert session.timings()["total"].median_ms < 0.85 * alone.timings()["total"].median_ms


def test_workers_end_with_the_session(build: Build) -> None:
    before = threading.active_count()
    session = build(fork(0.02)).session()
    assert threading.active_count() > before
    session.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "nodes",
    [
        {"a": node("test.slow", "input", wait=0.005), "b": node("test.slow", "a", wait=0.005)},
        {"a": node("test.slow", "input", wait=0.005), "b": node("test.total", "a")},
        fork(0.0),
    ],
    ids=["in a row", "nothing beside", "too cheap"],
)
def test_node_without_parallel_work_stays(build: Build, nodes: dict[str, Any]) -> None:
    with build(nodes).session() as session:
        assert session.notes == []
        assert session.engine.pool is None


def test_node_that_holds_the_gil_stays(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.find("test.slow"), "releases_gil", False)
    with build(fork(0.005)).session() as session:
        assert session.notes == []


def test_trace_has_one_lane_per_worker(build: Build, tmp_path: Any) -> None:
    path = tmp_path / "trace.json"
    with build(fork(0.02)).session(trace=path) as session:
        session.push(NOISE[:24])
    events = [e for e in json.loads(path.read_text(encoding="utf-8")) if e["ph"] == "X"]
    assert len(events) == 8
    assert sorted({event["tid"] for event in events}) == [0, 1]


def test_the_file_may_set_the_threads(build: Build) -> None:
    before = torch.get_num_threads()
    try:
        with build({"a": node("test.shift", "input")}, threads=1).session(warm_up=False):
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_weights_that_never_arrive_hold_up_their_own_plan_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def plan(name: str) -> Any:
        nodes = {"end": node(f"dsp.{name}", "input")}
        return Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="end").compile()

    inside, released = threading.Event(), threading.Event()
    hanging, other = plan("highpass"), plan("gain")

    def hang(*_: object) -> None:
        inside.set()
        released.wait(20)

    monkeypatch.setattr(hanging.nodes[0].node, "load", hang)
    thread = threading.Thread(target=hanging.session, kwargs={"warm_up": False})
    thread.start()
    assert inside.wait(20)
    other.session(warm_up=False).close()
    released.set()
    thread.join()
