"""Recordings: the same bits again, whatever was turned and reset meanwhile."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import OutputError, SignalError, StateError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.plan import Plan
from voicegraph.graph.running.recording import replay

Build = Callable[..., Pipeline]
NODES = {
    "mix": node("test.sum", {"one": "input", "other": "back"}),
    "back": node("test.shift", "mix", by=17),
    "gain": node("dsp.gain", "mix"),
    "scale": node("test.scale", "gain"),
    "total": node("test.total", "scale"),
}


def compiled(**keys: Any) -> Plan:
    rate: dict[str, Any] = {"rate": 1200}
    return Pipeline(block="10ms", input=rate, nodes=NODES, output="total", **keys).compile()


ACTION = st.one_of(
    st.tuples(st.just("push"), st.integers(0, 50)),
    st.tuples(st.just("scale.factor"), st.integers(-9, 9), st.sampled_from([None, 0, 1])),
    st.tuples(st.just("gain.db"), st.floats(-20, 6), st.sampled_from([None, 0, 1])),
    st.tuples(st.just("scale.span"), st.fractions(0, 3, max_denominator=997), st.none()),
    st.tuples(st.just("reset"), st.sampled_from([None, 0, 1])),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=st.lists(ACTION, max_size=15))
def test_whatever_happened_replays_bit_by_bit(tmp_path: Path, actions: list[Any]) -> None:
    plan = compiled()
    x = np.random.default_rng(7).uniform(-1, 1, (2, 1, 1000)).astype(np.float32)
    path, made, at = tmp_path / "run.jsonl", [], 0
    with plan.session(2, record=path) as session:
        for name, *values in [*actions, ("push", 30)]:
            if name == "push":
                made.append(session.push(x[..., at : at + values[0]]))
                at += values[0]
            elif name == "reset":
                session.reset(*values)
            else:
                session.set(name, *values)
        log = session.log
    np.testing.assert_array_equal(
        np.concatenate(list(replay(plan, path)), 2), np.concatenate(made, 2)
    )
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    told = [(e["tick"], e["set"], e["stream"]) for e in lines if "set" in e]
    assert told == [(tick, change.param, change.stream) for tick, change in log]


@pytest.fixture
def plan(_test_nodes: None) -> Plan:
    return compiled()


@pytest.fixture
def recorded(plan: Plan, tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    with plan.session(record=path, warm_up=False) as session:
        session.push(np.ones(30, np.float32))
        session.set("scale.span", Fraction(1, 3))
        session.push(np.ones(30, np.float32))
    return path


def test_what_it_holds(plan: Plan, recorded: Path) -> None:
    header, change = map(json.loads, recorded.read_text(encoding="utf-8").splitlines())
    assert header["format"] == "voicegraph-recording-1"
    assert header["plan"] == plan.hash
    assert (header["streams"], header["channels"], header["samples"], header["seed"]) == (
        1,
        1,
        12,
        0,
    )
    assert {"torch", "numpy", "threads", "machine", "pipeline"} <= header.keys()
    assert change == {
        "tick": 2, "set": "scale.span", "value": {"$fraction": "1/3"}, "stream": None,
    }  # fmt: skip
    samples = np.fromfile(recorded.with_suffix(".f32"), "<f4")
    assert samples.tolist() == [1.0] * 60


def test_it_holds_the_input_as_the_graph_saw_it(tmp_path: Path) -> None:
    """After NaN was silenced; and what flush pushed through."""
    plan = compiled(on_nan="silence")
    x = np.ones(18, np.float32)
    x[4] = np.nan
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        session.push(x)
        session.flush()
    samples = np.fromfile(tmp_path / "run.f32", "<f4")
    assert samples.tolist() == [1, 1, 1, 1, 0, *[1] * 13, *[0] * 6]


def test_it_grows_as_the_session_runs(plan: Plan, tmp_path: Path) -> None:
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        for tick in range(3):
            session.process(np.ones(12, np.float32))
            assert (tmp_path / "run.f32").stat().st_size == 48 * (tick + 1)
        session.set("scale.factor", 3)
        session.process(np.ones(12, np.float32))
        assert '"scale.factor"' in (tmp_path / "run.jsonl").read_text(encoding="utf-8")


def test_healing_replays_too(tmp_path: Path) -> None:
    nodes = {"spoil": node("test.spoil", "input", sticky=True), "t": node("test.scale", "spoil")}
    keys: dict[str, Any] = {"input": {"rate": 1200}, "on_nan": "silence"}
    plan = Pipeline(block="10ms", nodes=nodes, output="t", **keys).compile()
    x = np.arange(60, dtype=np.float32)
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        made = session.push(x)
        assert session.nonfinite == 1
    again = np.concatenate(list(replay(plan, tmp_path / "run.jsonl")), 2)
    np.testing.assert_array_equal(again[0, 0], made)


def test_an_error_replays_as_an_error(tmp_path: Path) -> None:
    nodes = {"spoil": node("test.spoil", "input")}
    keys: dict[str, Any] = {"input": {"rate": 1200}}
    plan = Pipeline(block="10ms", nodes=nodes, output="spoil", **keys).compile()
    with (
        plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session,
        pytest.raises(SignalError),
    ):
        session.push(np.arange(60, dtype=np.float32))
    again = replay(plan, tmp_path / "run.jsonl")
    next(again)
    with pytest.raises(SignalError, match=r"spoil\.out gave NaN or infinity in block 1"):
        next(again)


def test_a_session_that_is_recorded_goes_on_from_no_snapshot(plan: Plan, tmp_path: Path) -> None:
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        taken = session.snapshot()
        with pytest.raises(StateError, match="being recorded cannot go on from a snapshot"):
            session.restore(taken)


# ---- files that are wrong -----------------------------------------------------------------------


def test_of_another_plan(recorded: Path) -> None:
    with pytest.raises(StateError, match="was recorded with plan"):
        replay(compiled(seed=1), recorded)


def test_a_line_that_a_crash_cut_off_is_left_out(plan: Plan, recorded: Path) -> None:
    whole = list(replay(plan, recorded))
    with recorded.open("a", encoding="utf-8") as file:
        file.write('{"tick": 3, "set": "scale.fac')
    with recorded.with_suffix(".f32").open("ab") as file:
        file.write(b"abc")
    np.testing.assert_array_equal(np.array(list(replay(plan, recorded))), np.array(whole))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "{}\n", "[]\n", "3\n", '{"format": "voicegraph-recording-1"}\n',
        "HEADER\n{\n", 'HEADER\n{"tick": 3}\n', "HEADER\n[3]\n",
        'HEADER\n{"tick": "x", "reset": true, "stream": null}\n',
        'HEADER\n{"set": "a.b", "value": 3, "stream": null}\n',
        'HEADER\n{"tick": 1, "set": "a.b", "stream": null}\n',
    ],
)  # fmt: skip
def test_what_is_no_recording(plan: Plan, recorded: Path, text: str) -> None:
    header = recorded.read_text(encoding="utf-8").splitlines()[0]
    recorded.write_text(text.replace("HEADER", header), encoding="utf-8")
    with pytest.raises(StateError, match="is no recording"):
        replay(plan, recorded)


def test_without_its_samples(plan: Plan, recorded: Path) -> None:
    recorded.with_suffix(".f32").unlink()
    with pytest.raises(StateError, match="its samples are missing"):
        replay(plan, recorded)
    with pytest.raises(StateError, match="is no recording"):
        replay(plan, recorded.with_name("nothing.jsonl"))


def test_places_that_cannot_be_written(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nowhere.* cannot be written"):
        plan.session(record=tmp_path / "nowhere" / "run.jsonl", warm_up=False)
    with pytest.raises(OutputError, match="that ending is for the samples"):
        plan.session(record=tmp_path / "run.f32", warm_up=False)
    (tmp_path / "run.f32").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        plan.session(record=tmp_path / "run.jsonl", warm_up=False)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_disk_that_fills_up_in_the_middle(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "run.f32").symlink_to("/dev/full")
    session = plan.session(record=tmp_path / "run.jsonl", warm_up=False)
    with pytest.raises(OutputError, match="No space left on device"):
        session.process(np.ones(12, np.float32))
    with pytest.raises(OutputError, match="No space left on device"):
        session.close()  # what the buffer still holds cannot be written either
    session.close()
