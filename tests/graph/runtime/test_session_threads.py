"""One session and several threads: changes, blocks and the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from voicegraph.graph import registry
from voicegraph.graph.errors import StateError
from voicegraph.graph.node import Node, NodeParams, Tensors
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.runtime.hot_swap import HotSwap, plan_change
from voicegraph.graph.runtime.session import Session
from voicegraph.graph.signals import Audio

RATE = 16000
BLOCK = np.zeros(160, np.float32)
THREADS = 8


class _Stuck(Node):
    """Stays in ``process`` until a test lets it go."""

    class Params(NodeParams):
        pass

    inside, released = threading.Event(), threading.Event()
    armed = False
    audio = In(Audio)
    out = Out(Audio, like="audio")
    examples = ({},)

    def process(self, inputs: Tensors, params: Params, state: Any) -> Tensors:
        if _Stuck.armed:
            _Stuck.inside.set()
            assert _Stuck.released.wait(20)
        return {"out": inputs["audio"] + 1}


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session whose node `slow` gets stuck in the next block."""
    monkeypatch.setattr(_Stuck, "inside", threading.Event())
    monkeypatch.setattr(_Stuck, "released", threading.Event())
    with registry.isolated({"test.stuck": _Stuck}):
        nodes = {"slow": node("test.stuck", "input"), "end": node("dsp.gain", "slow")}
        pipeline = Pipeline(block="10ms", input={"rate": RATE}, nodes=nodes, output="end")
        session = pipeline.session(warm_up=False)
        monkeypatch.setattr(_Stuck, "armed", True)
        yield session
        _Stuck.released.set()
        session.close()


@pytest.fixture
def session() -> Iterator[Session]:
    names = [f"n{i}" for i in range(THREADS)]
    nodes = {
        name: node("dsp.gain", before, db=0.0)
        for name, before in zip(names, ["input", *names], strict=False)
    }
    pipeline = Pipeline(block="10ms", input={"rate": RATE}, nodes=nodes, output=names[-1])
    with pipeline.session(warm_up=False) as opened:
        yield opened


@pytest.fixture
def start() -> Iterator[Callable[..., Future[Any]]]:
    """Runs a function on a thread of its own."""
    with ThreadPoolExecutor(32) as pool:
        yield pool.submit


def test_changes_of_many_threads_all_take_effect(
    session: Session, start: Callable[..., Future[Any]]
) -> None:
    together = threading.Barrier(THREADS)

    def change(i: int) -> HotSwap:
        together.wait(20)
        return session.change({f"nodes.n{i}.params.db": -float(i + 1)})

    changes = [start(change, i) for i in range(THREADS)]
    while not all(done.done() for done in changes) or session.swapping:
        session.process(BLOCK)
    expected = {f"nodes.n{i}.params.db": -float(i + 1) for i in range(THREADS)}
    assert session.overrides == expected
    assert all(done.result().switched_at is not None for done in changes)
    assert [session.get(f"n{i}.db") for i in range(THREADS)] == list(expected.values())


def test_a_change_is_refused_on_the_processing_thread_while_another_is_made(
    session: Session, start: Callable[..., Future[Any]]
) -> None:
    session.process(BLOCK)
    start(session.change, {"nodes.n0.params.db": -1.0}).result(20)
    with pytest.raises(StateError) as raised:
        session.change({"nodes.n1.params.db": -1.0})
    assert raised.value.problems[0].code == "busy"


def test_a_swap_prepared_before_another_change_is_refused(session: Session) -> None:
    overrides = {"nodes.n0.params.db": -1.0}
    prepared = HotSwap(session, plan_change(session, overrides), overrides)
    session.change({"nodes.n1.params.db": -1.0})
    while session.swapping:
        session.process(BLOCK)
    with pytest.raises(StateError, match="was changed while"):
        session.begin_swap(prepared)
    assert session.overrides == {"nodes.n1.params.db": -1.0}


def test_close_ends_waiting_changes_and_priming(
    session: Session, start: Callable[..., Future[Any]]
) -> None:
    overrides = {"nodes.n0.params.db": -1.0}
    swap = HotSwap(session, plan_change(session, overrides), overrides, alone=True)
    session.begin_swap(swap)
    session.process(BLOCK)
    priming = start(swap.prime)
    waiting = [start(session.change, {f"nodes.n{i}.params.db": -1.0}) for i in (1, 2)]
    session.close()
    with pytest.raises(StateError, match="closed before the hot swap was complete"):
        priming.result(20)
    for change in waiting:
        with pytest.raises(StateError, match="this session is closed"):
            change.result(20)


def test_close_on_another_thread_while_blocks_are_processed(
    session: Session, start: Callable[..., Future[Any]]
) -> None:
    """With a hot swap in progress, which the end cancels."""
    session.change({"nodes.n0.params.db": -1.0})
    processing = threading.Event()

    def run() -> None:
        while True:
            session.process(BLOCK)
            processing.set()

    running = start(run)
    assert processing.wait(20)
    session.close()
    with pytest.raises(StateError, match="this session is closed"):
        running.result(20)


def test_close_waits_for_the_block_that_is_processed(
    stuck: Session, start: Callable[..., Future[Any]]
) -> None:
    running = start(stuck.process, BLOCK)
    assert _Stuck.inside.wait(20)
    closing = start(stuck.close)
    _Stuck.released.set()
    assert running.result(20)[0] == 1
    closing.result(20)
    with pytest.raises(StateError, match="this session is closed"):
        stuck.process(BLOCK)


def test_close_names_a_node_that_does_not_return(
    stuck: Session, start: Callable[..., Future[Any]]
) -> None:
    running = start(stuck.process, BLOCK)
    assert _Stuck.inside.wait(20)
    with pytest.raises(StateError, match=r"node slow \(test\.stuck\) does not return"):
        stuck.close(wait_s=0.01)
    _Stuck.released.set()
    with pytest.raises(StateError, match="this session is closed"):
        running.result(20)


def test_a_snapshot_on_another_thread_is_taken_between_blocks(
    stuck: Session, start: Callable[..., Future[Any]]
) -> None:
    running = start(stuck.process, BLOCK)
    assert _Stuck.inside.wait(20)
    taken = start(stuck.snapshot)
    _Stuck.released.set()
    running.result(20)
    assert taken.result(20).position == 1
