"""The status of a live session, and its live params."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import Problem, StateError
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.live.status import live_latency, live_params
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime.hot_swap import HotSwap, plan_change
from voicegraph.schemas.live_status import LiveStatus

RATE = 48000


def _run(
    live: LiveSession, sound: Any, seconds: float, cost: float = 0.004, late: int = -1
) -> None:
    end = SimulatedDevice(RATE, 480)
    costs = {late: 0.05}
    Simulation(live.loop, end, end, sound, cost=lambda tick: costs.get(tick, cost)).run(seconds)


def test_status_of_a_running_session(make_live: Callable[..., LiveSession], sine: Any) -> None:
    live = make_live()
    _run(live, sine(440), 5)
    status = live.status()
    assert (status.state, status.pipeline, status.block_ms) == ("starting", "pipeline", 20)
    assert status.tick == live.session.position > 100
    assert (status.input.device, status.output.device) == ("Microphone", "Loudspeaker")
    assert status.input.peak_db == pytest.approx(-6.02, abs=0.1)
    assert status.output.rms_db == pytest.approx(-9.03, abs=0.1)
    assert [(load.name, load.use) for load in status.nodes] == [("pass", "dsp.gain")]
    assert status.nodes[0].median_ms <= status.compute_median_ms <= status.compute_p99_ms
    assert status.headroom == pytest.approx(1 - status.compute_p99_ms / 20)
    assert status.late.blocks == 0
    assert status.drift.one_clock
    assert (status.muted, status.monitor, status.variant, status.recording) == (
        False, False, None, None,
    )  # fmt: skip
    assert [param.name for param in status.params] == ["pass.db"]
    assert LiveStatus.model_validate_json(status.model_dump_json()) == status


def test_four_latencies_of_a_session(make_live: Callable[..., LiveSession], sine: Any) -> None:
    live = make_live(margin_s=0.01)
    _run(live, sine(440), 3)
    found = live_latency(live)
    # A block fills, one plays, and the reserve; the simulated card is one clock without jitter.
    assert found.buffering_ms == pytest.approx(20 + 20 + 10, abs=0.1)
    assert found.device_ms == pytest.approx(5 + 7)
    assert found.algorithmic_ms == 0
    assert found.measured_ms is None
    assert found.expected_ms == pytest.approx(62, abs=0.1)


def test_late_blocks_are_counted_and_attributed(
    make_live: Callable[..., LiveSession], sine: Any
) -> None:
    live = make_live()
    _run(live, sine(440), 5, late=50)
    late = live.status().late
    assert 1 <= late.blocks <= 2  # and perhaps the one behind it
    assert sum(late.blamed.values()) == late.blocks
    assert 10 < late.worst_ms < 50
    assert any(text.startswith("overrun: a block was late by") for text in live.status().messages)


def test_only_the_newest_messages_are_shown(make_live: Callable[..., LiveSession]) -> None:
    live = make_live()
    for number in range(60):
        live.say(f"{number}")
    assert live.status().messages == [f"{number}" for number in range(52, 60)]


def test_status_during_a_hot_swap(make_live: Callable[..., LiveSession]) -> None:
    """Plan and engine are not replaced at the same moment."""
    nodes = {"low": node("dsp.gain", "input"), "end": node("dsp.gain", "low")}
    live = make_live(Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="end"))
    session = live.session
    overrides = {"nodes.low.enabled": False}
    swap = HotSwap(session, plan_change(session, overrides), overrides)
    session.engine = swap.engine
    found: list[LiveStatus] = []
    asking = threading.Thread(target=lambda: found.append(live.status()))
    asking.start()
    asking.join(0.01)
    assert found == []
    session.plan = swap.plan
    session.live_params.rebind(swap.engine)
    asking.join(20)
    assert [load.name for load in found[0].nodes if not load.bypassed] == ["end"]


def test_late_blocks_are_counted_across_threads(make_live: Callable[..., LiveSession]) -> None:
    loop = make_live().loop
    loop.counts.when.extend([0.0] * 4000)
    end = time.perf_counter() + 0.05
    failed: list[Exception] = []

    def engine() -> None:
        while time.perf_counter() < end:
            loop.counts.when.append(1.0)

    thread = threading.Thread(target=engine)
    thread.start()
    while thread.is_alive():
        try:
            loop.counts.late_since(0.5)
        except RuntimeError as error:
            failed.append(error)
    assert failed == []
    assert np.isfinite(loop.counts.late_since(0.5))


@pytest.fixture
def session():
    nodes = {"low": node("dsp.gain", "input", db=-6), "end": node("dsp.limiter", "low")}
    with Pipeline(block="10ms", nodes=nodes, output="end").session(warm_up=False) as opened:
        yield opened


def test_live_param_has_value_range_unit_description(session: Any) -> None:
    db = next(param for param in live_params(session) if param.name == "low.db")
    assert db.value == -6
    assert (db.minimum, db.maximum) == (-120, 60)
    assert db.unit == "dB"
    assert db.description
    session.set("low.db", -3)
    assert next(p.value for p in live_params(session) if p.name == "low.db") == -3


def test_only_live_params_in_pipeline_order(session: Any) -> None:
    found = [param.name for param in live_params(session)]
    expected = [
        f"{planned.name}.{field}"
        for planned in session.plan.nodes
        for field in type(planned.params).model_fields
        if field in type(planned.params).live_fields()
    ]
    assert found == expected
    assert found


def test_live_params_of_world_accept_their_values() -> None:
    with Pipeline.load("world").session(warm_up=False) as session:
        params = live_params(session)
        assert len(params) >= 3
        for param in params:
            assert param.minimum is None or param.value >= param.minimum
            assert param.choices is None or str(param.value).lower() in param.choices
            session.set(param.name, param.value)


def test_param_of_a_swapped_node_is_omitted(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> None:
        raise StateError(Problem("no-such-param", name))

    monkeypatch.setattr(session, "get", gone)
    assert live_params(session) == []
