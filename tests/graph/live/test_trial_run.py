"""Trial runs of new engines: paced, measured, and no cost to the session that runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from voicegraph.graph import registry
from voicegraph.graph.live import _trial_run
from voicegraph.graph.live._trial_run import expected_tick_s, trial_run
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.node import Node, NodeParams, Tensors
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.runtime.engine import Engine
from voicegraph.graph.signals import Audio
from voicegraph.schemas.live_command import Swap

RATE = 48000


class _Slow(Node):
    """Takes as long as a test says, by a clock of its own."""

    class Params(NodeParams):
        pass

    now = 0.0
    takes = 0.0
    ran = 0
    audio = In(Audio)
    out = Out(Audio, like="audio")
    examples = ({},)

    def process(self, inputs: Tensors, params: Params, state: Any) -> Tensors:
        _Slow.now += _Slow.takes
        _Slow.ran += 1
        return {"out": inputs["audio"] * 1.0}


class _Busy(_Slow):
    """Computes for 110 ms of processor time."""

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        end = time.thread_time() + 0.11
        while time.thread_time() < end:
            pass
        return {"out": inputs["audio"] * 1.0}


class _Clock:
    """In place of the module ``time``."""

    @staticmethod
    def thread_time() -> float:
        return _Slow.now

    perf_counter = thread_time


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_Slow, "now", 0.0)
    monkeypatch.setattr(_Slow, "takes", 0.097)
    monkeypatch.setattr(_Slow, "ran", 0)
    monkeypatch.setattr(_trial_run, "time", _Clock)
    with registry.isolated({"trial.slow": _Slow}):
        yield


@pytest.fixture
def busy() -> Iterator[None]:
    with registry.isolated({"trial.busy": _Busy}):
        yield


def _engine(nodes: dict[str, Any]) -> Engine:
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="end")
    return pipeline.session(warm_up=False).engine


@pytest.mark.usefixtures("slow")
def test_every_node_is_followed_by_a_pause_as_long_as_it_took() -> None:
    running = _engine({"end": node("dsp.gain", "input")})
    engine = _engine({"slow": node("trial.slow", "input"), "end": node("dsp.gain", "slow")})
    pauses: list[float] = []
    assert trial_run(engine, running, pauses.append) == pytest.approx(0.097)
    assert pauses == pytest.approx([0.097, 0.0] * (len(pauses) // 2))


@pytest.mark.usefixtures("slow")
def test_hopeless_trial_ends_after_one_measured_round() -> None:
    running = _engine({"end": node("dsp.gain", "input")})
    engine = _engine({"end": node("trial.slow", "input")})
    assert trial_run(engine, running, lambda _: None) > 0.02
    assert _Slow.ran == 2


@pytest.mark.usefixtures("slow")
def test_nodes_that_stay_count_as_they_were_measured() -> None:
    """A trial beside other work says less than the ticks of the running session."""
    nodes = {"slow": node("trial.slow", "input"), "end": node("dsp.gain", "slow")}
    running, engine = _engine(nodes), _engine(nodes)
    for step in running.steps:
        for _ in range(50):
            step.ring.add(3_000_000)
    assert trial_run(engine, running, lambda _: None) == pytest.approx(0.006)


def test_workers_shorten_the_expected_tick() -> None:
    nodes = {
        "one": node("dsp.gain", "input"),
        "two": node("dsp.gain", "input"),
        "end": {
            "use": "dsp.mix",
            "in": {"a": "one", "b": "two"},
            "params": {"gains": {"a": 0, "b": 0}},
        },
    }
    engine = _engine(nodes)
    cost = {"one": 0.010, "two": 0.004, "end": 0.001}
    assert expected_tick_s(engine, cost) == pytest.approx(0.015)
    first = engine.by_name["one"]
    first.lane = 1
    engine.pool = object()  # pyright: ignore[reportAttributeAccessIssue]
    engine.by_name["end"].waits = (first,)
    assert expected_tick_s(engine, cost) == pytest.approx(0.011)


@pytest.mark.usefixtures("busy")
def test_refused_swap_costs_the_running_session_no_block(
    make_live: Callable[..., LiveSession], played: Any, sine: Any
) -> None:
    """Compute times of the session are the measured ones, while the trial runs beside it."""
    nodes = {"pass": node("dsp.gain", "input")}
    live = make_live(Pipeline(block="50ms", input={"rate": RATE}, nodes=nodes, output="pass"))
    live._commands.apply_options()
    end = SimulatedDevice(RATE, 480)
    simulation = Simulation(live.loop, end, end, sine(440), played=played)
    simulation.run(3)
    position = live.session.position
    done = live.command(Swap(overrides={"nodes.pass.use": "trial.busy"}))
    assert done is not None
    while not done.done():
        simulation.run(0.02)
    simulation.run(0.5)
    assert re.search(
        r"a block would take 11\d ms to compute, and lasts 50 ms", str(done.exception())
    )
    assert live.session.position > position
    counts = live.loop.counts
    assert (counts.late, counts.dropped, live.loop.compensation.realigned) == (0, 0, 0)
    assert np.abs(played.audio[-4800:]).max() == pytest.approx(0.5, abs=0.001)
    assert live.session.overrides == {}
