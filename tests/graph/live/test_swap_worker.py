"""Hot swaps on a thread of their own: refused, failed, done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import PipelineError, StateError, VoicegraphError
from voicegraph.graph.live import _swap_worker as swap_worker
from voicegraph.graph.live._swap_worker import SwapWorker, power
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


def _run(session: Session, worker: SwapWorker) -> np.ndarray:
    """Runs the session until the swap is over; returns the newest block."""
    made = np.zeros(0)
    deadline = time.monotonic() + 20
    while worker.busy:
        assert time.monotonic() < deadline
        made = session.process(np.full(BLOCK, 0.25, np.float32))
        worker.wait(0.001)
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


def test_second_swap_is_refused_while_one_runs(session: Session) -> None:
    worker = SwapWorker(session, lambda _: None)
    worker.change({"nodes.loud.enabled": False})
    with pytest.raises(StateError) as raised:
        worker.change({"nodes.end.enabled": False})
    assert raised.value.problems[0].code == "busy"
    _run(session, worker)


def test_swap_without_headroom_is_refused(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = swap_worker.HotSwap

    def slow(*arguments: Any, **options: Any) -> Any:
        swap = made(*arguments, **options)
        swap.expected_s = 0.025
        return swap

    monkeypatch.setattr(swap_worker, "HotSwap", slow)
    said: list[str] = []
    worker = SwapWorker(session, said.append)
    worker.change({"nodes.loud.enabled": False})
    _run(session, worker)
    [text] = said
    assert text.startswith("not changed (nodes.loud.enabled=False): ")
    assert "a block would take 25 ms to compute, and lasts 10 ms" in text
    assert session.overrides == {}


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
    session.close()
    closed.set()
    assert worker.wait(20)
    [text] = said
    assert text.startswith("not changed (nodes.loud.enabled=False): this session is closed")


def test_failing_callback_fails_the_swap(session: Session) -> None:
    def played(block: torch.Tensor, made: torch.Tensor) -> None:
        raise ZeroDivisionError("a mistake of ours")

    said: list[str] = []
    worker = SwapWorker(session, said.append)
    overrides = {"nodes.loud.enabled": False}
    plan = plan_change(session, overrides)
    worker.swap_to("variant b", plan, overrides, None, played, lambda _: None)
    _run(session, worker)
    assert "ZeroDivisionError: a mistake of ours" in said[0]
    session.process(np.zeros(BLOCK, np.float32))
    worker.change({"nodes.loud.enabled": False})  # the session is free for another one
    _run(session, worker)
    assert said[1] == "changed: nodes.loud.enabled=False"


def test_power_is_the_mean_over_all_axes() -> None:
    assert power(torch.tensor([[0.6, -0.8]])) == pytest.approx(0.5)
