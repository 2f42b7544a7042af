"""Recordings that begin while a session runs: their replay begins with its state."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import StateError
from voicegraph.graph.files.recordings.compare import compare
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.session import Session
from voicegraph.schemas.replay_report import ReplayReport

pytestmark = pytest.mark.usefixtures("_test_nodes")

BLOCK = 12
NODES = {
    "mix": node("test.sum", {"one": "input", "other": "back"}),
    "back": node("test.shift", "mix", by=17),
    "gain": node("dsp.gain", "mix"),
    "scale": node("test.scale", "gain"),
    "total": node("test.total", "scale"),
}
ACTION = st.one_of(
    st.tuples(st.just("push"), st.integers(0, 40)),
    st.tuples(st.just("gain.db"), st.floats(-20, 6)),
    st.tuples(st.just("reset"), st.none()),
    st.tuples(st.just("swap"), st.floats(-20, 6)),
)


def compiled() -> Plan:
    rate: dict[str, Any] = {"rate": 1200}
    return Pipeline(block="10ms", input=rate, nodes=NODES, output="total").compile()


def _replayed(path: Path) -> ReplayReport:
    recording = open_recording(path)
    return compare(plan_of(recording), recording)


def _stop(session: Session, noise: Iterator[np.ndarray]) -> None:
    """Ends the recording from another thread, while this one processes."""
    thread = threading.Thread(target=session.stop_recording)
    thread.start()
    while thread.is_alive():
        session.process(next(noise))
        thread.join(0.001)


def _noise() -> Iterator[np.ndarray]:
    random = np.random.default_rng(5)
    while True:
        yield random.uniform(-1, 1, BLOCK).astype(np.float32)


def _do(session: Session, noise: Iterator[np.ndarray], actions: list[tuple[str, Any]]) -> None:
    for name, value in actions:
        match name:
            case "push":
                for _ in range(value):
                    session.process(next(noise))
            case "reset":
                session.reset()
            case "swap":
                swap = session.change({"nodes.gain.params.db": value})
                while not swap.over.is_set():
                    session.process(next(noise))
            case _:
                session.set(name, value)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(ACTION, max_size=6), during=st.lists(ACTION, max_size=6))
def test_take_replays_bit_for_bit(tmp_path: Path, before: list[Any], during: list[Any]) -> None:
    noise = _noise()
    path = tmp_path / "take.jsonl"
    with compiled().session(warm_up=False) as session:
        _do(session, noise, before)
        session.start_recording(path)
        _do(session, noise, [*during, ("push", 3)])
    report = _replayed(path)
    assert report.result == "identical"
    assert report.blocks >= 3


def test_takes_follow_each_other(tmp_path: Path) -> None:
    noise = _noise()
    with compiled().session(warm_up=False) as session:
        for name in "ab":
            _do(session, noise, [("push", 20), ("swap", -3.0)])
            session.start_recording(tmp_path / f"{name}.jsonl", waits=False)
            _do(session, noise, [("push", 5), ("swap", -9.0)])
            _stop(session, noise)
        assert session.recording_state is None
    assert [_replayed(tmp_path / f"{name}.jsonl").result for name in "ab"] == ["identical"] * 2


def test_take_during_a_swap_begins_after_it(tmp_path: Path) -> None:
    noise = _noise()
    with compiled().session(warm_up=False) as session:
        _do(session, noise, [("push", 3)])
        swap = session.change({"nodes.gain.params.db": -20.0})
        session.start_recording(tmp_path / "take.jsonl")
        _do(session, noise, [("push", 2)])
        assert not swap.over.is_set()
        _do(session, noise, [("push", 60)])
        assert swap.switched_at is not None
        blocks = session.position - swap.switched_at - 1
    report = _replayed(tmp_path / "take.jsonl")
    assert (report.result, report.blocks) == ("identical", blocks)


def test_take_of_a_silenced_session_replays(tmp_path: Path) -> None:
    """It begins while the output is silent, and a failure is its first event after that."""
    noise = _noise()
    told: list[Any] = []
    with compiled().session(warm_up=False) as session:
        session.recover_from_faults(told.append, lambda run: run())
        _do(session, noise, [("push", 5)])
        with _failing(session):
            _do(session, noise, [("push", 3)])
            session.start_recording(tmp_path / "a.jsonl")
            _do(session, noise, [("push", 3)])
        session.set("gain.db", 0.0)  # allows another attempt at once
        _do(session, noise, [("push", 60)])
        assert not session.silenced
        _stop(session, noise)
        while not session.process(next(noise))[..., -1].any():
            pass  # from a zero there would be nothing to fade
        session.start_recording(tmp_path / "b.jsonl")
        with _failing(session):
            _do(session, noise, [("push", 2)])
    for name in "ab":
        report = _replayed(tmp_path / f"{name}.jsonl")
        assert report.result == "identical", report
    recorded = open_recording(tmp_path / "a.jsonl")
    assert recorded.header.start is not None
    assert recorded.header.start.silent
    first = next(open_recording(tmp_path / "b.jsonl").output(BLOCK, 1))
    assert np.abs(first).max() > 0  # it fades out from what was played before


@contextmanager
def _failing(session: Session) -> Iterator[None]:
    """The engine fails at every block."""
    with patch.object(session, "run_engine", side_effect=RuntimeError("broken")):
        yield


def test_take_without_a_block_leaves_nothing(tmp_path: Path) -> None:
    with compiled().session(warm_up=False) as session:
        session.process(next(_noise()))
        session.start_recording(tmp_path / "take.jsonl")
        session.stop_recording()
        assert list(tmp_path.iterdir()) == []
        session.start_recording(tmp_path / "take.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_second_recording_is_refused(tmp_path: Path) -> None:
    with compiled().session(record=tmp_path / "all.jsonl", warm_up=False) as session:
        with pytest.raises(StateError, match=r"is being recorded already: .*all\.jsonl"):
            session.start_recording(tmp_path / "take.jsonl")
        with pytest.raises(StateError, match="no recording was begun"):
            session.stop_recording()
    assert not (tmp_path / "take.jsonl").exists()


def test_missing_start_is_named(tmp_path: Path) -> None:
    noise = _noise()
    with compiled().session(warm_up=False) as session:
        _do(session, noise, [("push", 3)])
        session.start_recording(tmp_path / "take.jsonl")
        _do(session, noise, [("push", 3)])
    (tmp_path / "take.start.safetensors").unlink()
    with pytest.raises(StateError, match=r"state at the start take\.start\.safetensors is missing"):
        open_recording(tmp_path / "take.jsonl")


def test_changed_replay_says_that_it_starts_anew(tmp_path: Path) -> None:
    noise = _noise()
    with compiled().session(warm_up=False) as session:
        _do(session, noise, [("push", 3)])
        session.start_recording(tmp_path / "take.jsonl")
        _do(session, noise, [("push", 3)])
    recording = open_recording(tmp_path / "take.jsonl")
    plan = plan_of(recording, {"nodes.gain.params.db": -1.0})
    report = compare(plan, recording, changed=True)
    assert any(text.startswith("start: ") for text in report.circumstances)
