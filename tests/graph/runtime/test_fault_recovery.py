"""Fault recovery: silence, attempts with growing pauses, hot swaps, recordings and replays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import NodeFailedError
from voicegraph.graph.files.recordings.compare import compare
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.boundary_metric import BoundaryMetric
from voicegraph.graph.node import Live, Node, NodeParams, State
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.runtime import fault_recovery
from voicegraph.graph.runtime.fault_recovery import PAUSES_S, Fault, FaultRecovery, Recovered
from voicegraph.graph.runtime.session import Session
from voicegraph.graph.signals import Audio

RATE = 16000
BLOCK = 320
BLOCK_S = BLOCK / RATE


class _Broken:
    """What the test node does, set by each test."""

    error: Exception | None = None
    load_error: Exception | None = None
    loaded = 0


@pytest.fixture
def broken(scratch_registry: Any) -> type[_Broken]:
    @dataclass
    class Count(State):
        ticks: torch.Tensor

    class Fragile(Node):
        """Passes audio; raises if a sample of 9 arrives, or if the test says so."""

        class Params(NodeParams):
            gain: Live[float] = 1.0

        audio = In(Audio)
        out = Out(Audio, like="audio")

        def load(self, params: Any, device: Any, dtype: Any) -> None:
            _Broken.loaded += 1
            if _Broken.load_error is not None:
                raise _Broken.load_error

        def state(self, params: Any, streams: int) -> Count:
            return Count(torch.zeros(streams, dtype=torch.int64))

        def process(self, inputs: Any, params: Any, state: Any) -> Any:
            state.ticks += 1
            if _Broken.error is not None:
                raise _Broken.error
            if bool((inputs["audio"] == 9).any()):
                raise ValueError("a nine")
            return {"out": params.gain * inputs["audio"]}

    _Broken.error = _Broken.load_error = None
    _Broken.loaded = 0
    scratch_registry("test.fragile")(Fragile)
    return _Broken


def pipeline(**settings: Any) -> Pipeline:
    nodes = {
        "delay": node("dsp.delay", "input", time="40ms"),
        "fragile": node("test.fragile", "delay"),
    }
    return Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="fragile", **settings)


def tone(block: int) -> np.ndarray:
    at = np.arange(block * BLOCK, (block + 1) * BLOCK)
    return (0.5 * np.sin(2 * np.pi * 200 * at / RATE)).astype(np.float32)


Told = list[Fault | Recovered]


def recovering(session: Session) -> Told:
    told: Told = []
    session.recover_from_faults(told.append, lambda run: run())
    return told


def run(session: Session, blocks: int, nine_at: int = -1) -> np.ndarray:
    made = []
    for _ in range(blocks):
        x = tone(session.position)
        if session.position == nine_at:
            x[100] = 9
        made.append(session.process(x))
    return np.concatenate(made)


def test_failure_is_raised_without_recovery(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        broken.error = KeyError("gain")
        with pytest.raises(NodeFailedError) as caught:
            run(session, 1)
    (problem,) = caught.value.problems
    assert problem.message == "node fragile (test.fragile) failed: KeyError: 'gain'"
    assert problem.notes[0][0].startswith("at test_fault_recovery.py:")
    assert caught.value.node == "fragile"
    assert isinstance(caught.value.__cause__, KeyError)


def test_one_failure_costs_silence_and_state_only(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        made = run(session, 30, nine_at=10)
        fault, end = told
        assert isinstance(fault, Fault)
        assert (fault.tick, fault.node, fault.retry_s) == (12, "fragile", 0.0)  # behind the delay
        assert "ValueError: a nine (at test_fault_recovery.py:" in fault.text
        assert isinstance(end, Recovered)
        assert (end.tick, end.silent_s) == (13, pytest.approx(BLOCK_S))
        expected = np.concatenate([np.zeros(2 * BLOCK), *map(tone, range(28))])
        np.testing.assert_array_equal(made[: 12 * BLOCK], expected[: 12 * BLOCK])
        # The delay line is new, too: the nodes before the failing one had already run.
        assert not made[12 * BLOCK + 200 : 15 * BLOCK].any()
        np.testing.assert_array_equal(made[16 * BLOCK :], expected[16 * BLOCK :])
        assert session.engine.by_name["fragile"].state.ticks.item() == 17  # pyright: ignore


@pytest.mark.parametrize("place", [0.25, 0.5, 0.75])
def test_fades_do_not_click(broken: type[_Broken], place: float) -> None:
    alone = {"fragile": node("test.fragile", "input")}
    speech = bundled_recording.speech(Audio(Fraction(RATE), 1))[:, : 200 * BLOCK]
    blocks = [np.ascontiguousarray(x) for x in np.split(speech, 200, axis=1)]
    loud = sorted(range(1, 200), key=lambda i: float(np.abs(blocks[i - 1][:, -80:]).max()))
    at = loud[round(place * 198)]  # from quiet to loud
    blocks[at][:, 100] = 9
    metric = BoundaryMetric()
    with Pipeline(
        block="20ms", input={"rate": RATE}, nodes=alone, output="fragile"
    ).session() as session:
        recovering(session)
        for block in blocks[at - 10 : at + 10]:
            metric.take(session.process(block))
    assert metric.decibels < 6  # as much as a soak test allows


def test_attempts_follow_after_growing_pauses(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        broken.error = RuntimeError("always")
        made = run(session, round(40 / BLOCK_S))
        assert [getattr(event, "retry_s", "?") for event in told] == [*PAUSES_S, None]
        assert not made.any()
        distances = np.diff([event.tick for event in told]) * BLOCK_S
        np.testing.assert_allclose(distances, PAUSES_S, atol=2.5 * BLOCK_S)
        assert isinstance(session.recovery, FaultRecovery)
        assert session.recovery.silenced_by == "fragile"
        assert session.recovery.counts == {"fragile": 7}
        assert session.position == round(40 / BLOCK_S)


def test_later_attempts_load_new_nodes(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        recovering(session)
        first = session.engine.by_name["fragile"].node
        session.set("fragile.gain", 0.5)
        broken.error = RuntimeError("twice")
        run(session, 2)
        assert broken.loaded == 1
        broken.error = None
        made = run(session, 80)
        assert broken.loaded == 2
        assert session.engine.by_name["fragile"].node is not first
        assert session.get("fragile.gain") == 0.5
        assert np.abs(made[-BLOCK:]).max() == pytest.approx(0.25, rel=1e-3)


def test_failure_of_the_rebuild_is_a_failed_attempt(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        broken.error = RuntimeError("twice")
        run(session, 2)
        broken.error, broken.load_error = None, OSError("the model is gone")
        run(session, 60)
        newest = told[-1]
        assert isinstance(newest, Fault)
        assert "failed while loading: OSError: the model is gone" in newest.text
        assert (newest.attempts, newest.retry_s) == (3, 2.0)
        broken.load_error = None
        run(session, 120)
        assert isinstance(told[-1], Recovered)


def test_changed_param_allows_an_attempt_at_once(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        broken.error = RuntimeError("until something changes")
        run(session, round(40 / BLOCK_S))
        broken.error = None
        run(session, 100)
        assert session.silenced
        session.set("fragile.gain", 0.5)
        assert run(session, 4).any()
        assert isinstance(told[-1], Recovered)


@pytest.mark.parametrize("change", [{"nodes.fragile.enabled": False},
                                    {"nodes.fragile.use": "dsp.gain"}])  # fmt: skip
def test_hot_swap_ends_the_silence(broken: type[_Broken], change: dict[str, Any]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        broken.error = RuntimeError("always")
        run(session, 5)
        session.change(change)
        run(session, 40)
        assert not session.silenced
        assert isinstance(told[-1], Recovered)
        np.testing.assert_array_equal(run(session, 1), tone(session.position - 3))


def test_failure_during_a_swap_leaves_the_swap(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        recovering(session)
        run(session, 10)
        swap = session.change({"nodes.fragile.use": "dsp.gain"})
        run(session, 5)
        broken.error = RuntimeError("the old engine")
        made = run(session, 20)
        assert swap.failed is None
        assert swap.switched_at is not None
        assert np.abs(made[-BLOCK:]).max() == pytest.approx(0.5, rel=1e-3)


def test_healthy_time_forgives_earlier_failures(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        for _ in range(9):
            run(session, 1, nine_at=session.position)
            run(session, round((fault_recovery._HEALTHY_S + 1) / BLOCK_S))
        assert {event.retry_s for event in told if isinstance(event, Fault)} == {0.0}


def test_infinite_values_are_a_failure_of_their_node(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        run(session, 10)
        session.set("fragile.gain", 1e38)
        x = np.full(BLOCK, 1e3, np.float32)
        for _ in range(4):
            session.process(x)
        assert isinstance(told[0], Fault)
        assert told[0].node == "fragile"
        assert "fragile.out gave NaN or infinity" in told[0].text


def test_infinite_input_is_silenced_and_counted(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        x = tone(0)
        x[5] = np.nan
        session.process(x)
        assert (session.nonfinite, told) == (1, [])


def test_node_that_leaves_the_program_does_not(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        broken.error = SystemExit(3)  # pyright: ignore[reportAttributeAccessIssue]
        run(session, 1)
        assert isinstance(told[0], Fault)
        assert "SystemExit: 3" in told[0].text


def test_streams_are_silenced_and_resumed_together(broken: type[_Broken]) -> None:
    with pipeline().session(3) as session:
        told = recovering(session)
        x = np.tile(tone(0), (3, 1, 1))
        session.process(x)
        x[1, 0, 100] = 9
        made = [session.process(x if tick == 0 else np.tile(tone(tick), (3, 1, 1)))
                for tick in range(12)]  # fmt: skip
        assert [type(event) for event in told] == [Fault, Recovered]
        assert not made[2][:, :, 200:].any()
        np.testing.assert_array_equal(made[-1], np.tile(tone(9), (3, 1, 1)))


def test_memory_that_ran_out_is_a_failure_like_others(broken: type[_Broken]) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        broken.error = torch.OutOfMemoryError("CUDA out of memory")
        run(session, 1)
        broken.error = None
        run(session, 5)
        assert [type(event) for event in told] == [Fault, Recovered]


def test_state_that_cannot_be_reset_is_built_anew(
    broken: type[_Broken], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline().session() as session:
        told = recovering(session)
        run(session, 3)
        fragile = session.engine.by_name["fragile"].node
        monkeypatch.setattr(fragile, "state", lambda *_: 1 / 0)
        run(session, 1, nine_at=3)
        run(session, 100)
        assert isinstance(told[-1], Recovered)
        assert broken.loaded == 2


# ---- recordings ---------------------------------------------------------------------------------


def test_recording_with_failures_replays_identically(broken: type[_Broken], tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with pipeline().session(record=path) as session:
        recovering(session)
        run(session, 30, nine_at=10)
        broken.error = RuntimeError("three times")
        run(session, 60)
        broken.error = None
        run(session, 160, nine_at=200)
    events = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert [(event["tick"], event.get("fault")) for event in events] == [
        (12, "fragile"), (13, None), (30, "fragile"), (182, None), (202, "fragile"),
    ]  # fmt: skip
    assert "RuntimeError: three times" in events[2]["error"]
    recording = open_recording(path)
    found = compare(plan_of(recording), recording)
    assert (found.result, found.blocks) == ("identical", 250)
