"""Hot swaps on a thread of their own: refused, failed, done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import PipelineError, StateError, VoicegraphError
from voicegraph.graph.live import _swap_worker as swap_worker
from voicegraph.graph.live._swap_worker import PreparedSwap, SwapWorker, power
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime.hot_swap import plan_change
from voicegraph.graph.runtime.session import Session

BLOCK = 160


@pytest.fixture
def session() -> Iterator[Session]:
    nodes = {"loud": node("dsp.gain", "input", db=6.0), "end": node("dsp.gain", "loud")}
    pipeline = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="end")
    with pipeline.session(warm_up=False) as opened:
        yield opened


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as opened:
        yield opened


def _run(session: Session, worker: SwapWorker) -> np.ndarray:
    """Runs the session until the swap is over; returns the newest block."""
    made = np.zeros(0)
    deadline = time.monotonic() + 20
    while worker.busy:
        assert time.monotonic() < deadline
        made = session.process(np.full(BLOCK, 0.25, np.float32))
        worker.wait(0.004)
    return made


def test_node_is_bypassed_while_the_session_runs(session: Session) -> None:
    said: list[str] = []
    worker = SwapWorker(session, said.append)
    assert not worker.busy
    worker.change({"nodes.loud.enabled": False})
    assert worker.busy
    _run(session, worker)
    assert said == ["changed: nodes.loud.enabled=False"]
    assert np.all(session.process(np.full(BLOCK, 0.25, np.float32)) == 0.25)
    worker.change({"nodes.end.use": "dsp.highpass"})
    _run(session, worker)
    assert session.overrides == {"nodes.loud.enabled": False, "nodes.end.use": "dsp.highpass"}


def test_mistakes_raise_in_the_calling_thread(session: Session) -> None:
    worker = SwapWorker(session, lambda _: None)
    with pytest.raises(PipelineError, match=r"dsp\.gian"):
        worker.change({"nodes.loud.use": "dsp.gian"})
    with pytest.raises(StateError, match="latency"):
        worker.change({"nodes.end.use": "dsp.limiter"})
    with pytest.raises(VoicegraphError, match="the output would become"):
        worker.change(
            {"nodes.end": {"use": "dsp.resample", "in": "loud", "params": {"rate": 8000}}}
        )
    assert not worker.busy
    assert session.overrides == {}


def test_second_swap_waits_and_is_added_to_the_first(
    session: Session, pool: ThreadPoolExecutor
) -> None:
    worker = SwapWorker(session, lambda _: None)
    first = worker.change({"nodes.loud.enabled": False})
    second = pool.submit(worker.change, {"nodes.end.enabled": False})
    while not second.done():
        session.process(np.zeros(BLOCK, np.float32))
        worker.wait(0.004)
    _run(session, worker)
    first.result(0)
    second.result(0).result(0)
    assert session.overrides == {"nodes.loud.enabled": False, "nodes.end.enabled": False}


def test_more_callers_than_may_wait_are_refused(
    session: Session, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap_worker, "MOST_WAITING", 0)
    worker = SwapWorker(session, lambda _: None)
    worker._job = swap_worker._Job("nodes.loud.enabled=False", lambda: None)
    with pytest.raises(StateError) as raised:
        worker.change({"nodes.end.enabled": False})
    [problem] = raised.value.problems
    assert problem.code == "busy"
    assert "nodes.loud.enabled=False is being compiled, for 0 s so far" in problem.message


def test_change_that_hangs_while_it_compiles_is_given_up(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(swap_worker, "plan_change", lambda *_: released.wait(20))
        worker = SwapWorker(session, lambda _: None, limit_s=0.02)
        with pytest.raises(
            StateError, match=r"given up after 0\.02 s, while it was being compiled"
        ):
            worker.change({"nodes.loud.enabled": False})
    assert not worker.busy
    released.set()


def test_after_a_swap_that_hangs_the_next_one_runs(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, inside, released = swap_worker.HotSwap, threading.Event(), threading.Event()

    def hang(*arguments: Any, **options: Any) -> Any:
        inside.set()
        released.wait(20)
        return made(*arguments, **options)

    said: list[str] = []
    worker = SwapWorker(session, said.append)
    with monkeypatch.context() as patched:
        patched.setattr(swap_worker, "HotSwap", hang)
        stuck = worker.change({"nodes.loud.enabled": False})
        assert inside.wait(20)
        assert worker._job is not None
        worker._give_up(worker._job, worker._too_long)  # as its timer does
        assert "given up after 60 s, while it was being loaded" in str(stuck.exception(20))
    again = worker.change({"nodes.end.enabled": False})
    released.set()  # what the first one still makes is discarded
    _run(session, worker)
    again.result(0)
    assert session.overrides == {"nodes.end.enabled": False}
    assert [text for text in said if "not changed" not in text] == [
        "changed: nodes.end.enabled=False"
    ]


def test_swap_without_blocks_is_given_up(session: Session) -> None:
    """No audio arrives, because a device is away."""
    worker = SwapWorker(session, lambda _: None, limit_s=0.2)
    error = worker.change({"nodes.loud.enabled": False}).exception(20)
    assert "given up" in str(error)
    assert not session.swapping
    assert not worker.busy


def test_stop_ends_a_hanging_swap_and_those_that_wait(
    session: Session, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, released = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        inside.set()
        released.wait(20)

    monkeypatch.setattr(swap_worker, "plan_change", hang)
    worker = SwapWorker(session, lambda _: None)
    calls = [pool.submit(worker.change, {"nodes.loud.enabled": False}) for _ in range(3)]
    assert inside.wait(20)
    worker.stop()
    for call in calls:
        error = call.exception(20)
        assert isinstance(error, StateError)
        assert error.problems[0].code == "ended"
    released.set()


def test_swap_that_makes_the_session_late_is_ended(session: Session) -> None:
    late = iter(range(1000))
    worker = SwapWorker(session, lambda _: None, late=lambda: next(late))
    done = worker.change({"nodes.loud.enabled": False})
    _run(session, worker)
    assert "too slow to run the new nodes beside the old ones" in str(done.exception(0))
    assert session.overrides == {}


@pytest.mark.parametrize(
    ("takes_s", "now_s", "said"),
    [
        (0.025, 0.0, "a block would take 25 ms to compute, and lasts 10 ms"),
        (
            0.0095,
            0.0,
            "a block would take 10 ms to compute, and lasts 10 ms, which leaves too little",
        ),
        (0.025, 0.024, "a block would take 25 ms to compute, and lasts 10 ms"),
        (0.0085, 0.0, "changed: nodes.loud.enabled=False"),
        (0.025, 0.026, "changed: nodes.loud.enabled=False"),
    ],
)
def test_swap_without_headroom_is_refused_unless_it_lightens_the_load(
    session: Session, monkeypatch: pytest.MonkeyPatch, takes_s: float, now_s: float, said: str
) -> None:
    monkeypatch.setattr(swap_worker, "trial_run", lambda *_: takes_s)
    if now_s:
        for _ in range(2000):
            session.engine.total.add(round(1e9 * now_s))
    messages: list[str] = []
    worker = SwapWorker(session, messages.append)
    worker.change({"nodes.loud.enabled": False})
    _run(session, worker)
    [text] = messages
    assert said in text
    assert bool(session.overrides) == text.startswith("changed")


def test_late_failure_is_reported_and_session_goes_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise MemoryError("no room for the voice")

    monkeypatch.setattr(swap_worker, "HotSwap", broken)
    said: list[str] = []
    worker = SwapWorker(session, said.append)
    worker.change({"nodes.loud.enabled": False})
    _run(session, worker)
    assert said == ["not changed (nodes.loud.enabled=False): MemoryError: no room for the voice"]
    assert session.process(np.full(BLOCK, 0.25, np.float32))[0] == pytest.approx(0.499, abs=0.001)


def test_closing_the_session_ends_the_swap_thread(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, closed = threading.Event(), threading.Event()
    made = swap_worker.HotSwap

    def slow(*arguments: Any, **options: Any) -> Any:
        swap = made(*arguments, **options)
        built.set()
        closed.wait(20)
        return swap

    monkeypatch.setattr(swap_worker, "HotSwap", slow)
    said: list[str] = []
    worker = SwapWorker(session, said.append)
    worker.change({"nodes.loud.enabled": False})
    assert built.wait(20)
    assert worker.at_work
    session.close()
    closed.set()
    assert worker.wait(20)
    for thread in worker._threads:
        thread.join(20)
    assert not worker.at_work
    [text] = said
    assert text.startswith("not changed (nodes.loud.enabled=False): this session is closed")


def test_failing_callback_fails_the_swap(session: Session) -> None:
    def played(block: torch.Tensor, made: torch.Tensor) -> None:
        raise ZeroDivisionError("a mistake of ours")

    said: list[str] = []
    worker = SwapWorker(session, said.append)
    overrides = {"nodes.loud.enabled": False}
    plan = plan_change(session, overrides)
    prepared = PreparedSwap(plan, overrides, on_processed=played)
    worker.begin("variant b", lambda: prepared)
    _run(session, worker)
    assert "ZeroDivisionError: a mistake of ours" in said[0]
    session.process(np.zeros(BLOCK, np.float32))
    worker.change({"nodes.loud.enabled": False})  # the session is free for another one
    _run(session, worker)
    assert said[1] == "changed: nodes.loud.enabled=False"


def test_power_is_the_mean_over_all_axes() -> None:
    assert power(torch.tensor([[0.6, -0.8]])) == pytest.approx(0.5)
