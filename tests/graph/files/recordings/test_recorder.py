"""Recordings: the same bits again, whatever was turned and reset meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import OutputError, SignalError, StateError
from voicegraph.graph.files.recordings._growing_wave import GrowingWave
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of, replay, run
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.hot_swap import load_weights
from voicegraph.schemas.recorded_events import LateEvent, SwapEvent

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
def test_all_events_replay_bit_for_bit(tmp_path: Path, actions: list[Any]) -> None:
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


def _samples(path: Path) -> Any:
    """What any player finds in the file."""
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 1200
    return samples.tolist()


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


def test_recording_has_header_and_events(plan: Plan, recorded: Path) -> None:
    header, change = map(json.loads, recorded.read_text(encoding="utf-8").splitlines())
    assert header["format"] == "voicegraph-recording-2"
    assert header["plan"] == plan.hash
    assert (header["streams"], header["samples"], header["seed"]) == (1, 12, 0)
    assert header["source"] == {"rate": "1200", "channels": 1}
    assert {"torch", "numpy", "threads", "machine"} <= header["circumstances"].keys()
    assert change == {
        "tick": 2, "set": "scale.span", "value": {"$fraction": "1/3"}, "stream": None,
    }  # fmt: skip
    assert _samples(recorded.with_suffix(".in.wav")) == [1.0] * 60
    assert len(_samples(recorded.with_suffix(".out.wav"))) == 60


def test_recording_replays_without_its_pipeline_file(plan: Plan, recorded: Path) -> None:
    recording = open_recording(recorded)
    again = plan_of(recording)
    assert again.hash == plan.hash
    made = np.concatenate(list(replay(again, recorded)), 2)
    heard = np.concatenate(list(recording.output(again.samples_out, 1)), 2)
    np.testing.assert_array_equal(made, heard)


def test_input_is_recorded_as_the_graph_receives_it(tmp_path: Path) -> None:
    """After NaN was silenced; and what flush pushed through."""
    plan = compiled(on_nan="silence")
    x = np.ones(18, np.float32)
    x[4] = np.nan
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        session.push(x)
        session.flush()
    assert _samples(tmp_path / "run.in.wav") == [1, 1, 1, 1, 0, *[1] * 13, *[0] * 6]


def test_files_grow_while_the_session_runs(plan: Plan, tmp_path: Path) -> None:
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        for tick in range(3):
            session.process(np.ones(12, np.float32))
            assert len(_samples(tmp_path / "run.in.wav")) == 12 * (tick + 1)
            assert len(_samples(tmp_path / "run.out.wav")) == 12 * (tick + 1)
        session.set("scale.factor", 3)
        session.process(np.ones(12, np.float32))
        assert '"scale.factor"' in (tmp_path / "run.jsonl").read_text(encoding="utf-8")


def test_replaced_nan_replays_too(tmp_path: Path) -> None:
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


def test_recorded_session_refuses_snapshots(plan: Plan, tmp_path: Path) -> None:
    with plan.session(record=tmp_path / "run.jsonl", warm_up=False) as session:
        taken = session.snapshot()
        with pytest.raises(StateError, match="being recorded cannot restore a snapshot"):
            session.restore(taken)


# ---- files that are wrong -----------------------------------------------------------------------


def test_recording_of_another_plan_is_refused(recorded: Path) -> None:
    with pytest.raises(StateError, match="was recorded with plan"):
        replay(compiled(seed=1), recorded)


def test_line_cut_off_by_a_crash_is_ignored(plan: Plan, recorded: Path) -> None:
    whole = list(replay(plan, recorded))
    with recorded.open("a", encoding="utf-8") as file:
        file.write('{"tick": 3, "set": "scale.fac')
    with recorded.with_suffix(".in.wav").open("ab") as file:
        file.write(b"abc")
    np.testing.assert_array_equal(np.array(list(replay(plan, recorded))), np.array(whole))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "{}\n", "[]\n", "3\n", '{"format": "voicegraph-recording-2"}\n',
        "HEADER\n{\n", 'HEADER\n{"tick": 3}\n', "HEADER\n[3]\n",
        'HEADER\n{"tick": "x", "reset": true, "stream": null}\n',
        'HEADER\n{"set": "a.b", "value": 3, "stream": null}\n',
        'HEADER\n{"tick": 1, "set": "a.b", "stream": null}\n',
    ],
)  # fmt: skip
def test_other_files_are_errors(plan: Plan, recorded: Path, text: str) -> None:
    header = recorded.read_text(encoding="utf-8").splitlines()[0]
    recorded.write_text(text.replace("HEADER", header), encoding="utf-8")
    with pytest.raises(StateError, match="is not a recording"):
        replay(plan, recorded)


def test_missing_audio_is_an_error(plan: Plan, recorded: Path) -> None:
    recorded.with_suffix(".in.wav").unlink()
    with pytest.raises(StateError, match="is missing"):
        replay(plan, recorded)
    with pytest.raises(StateError, match="is not a recording"):
        replay(plan, recorded.with_name("nothing.jsonl"))


def test_unwritable_paths_are_errors(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"run.* cannot be written"):
        plan.session(record=tmp_path / "file" / "run.jsonl", warm_up=False)
    with pytest.raises(OutputError, match="that extension is for the audio"):
        plan.session(record=tmp_path / "run.wav", warm_up=False)
    (tmp_path / "run.in.wav").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        plan.session(record=tmp_path / "run.jsonl", warm_up=False)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_full_disk_is_an_error(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "run.in.wav").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left on device"):
        plan.session(record=tmp_path / "run.jsonl", warm_up=False)


def _fills_up(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    write = GrowingWave.write

    def failing(self: GrowingWave, block: np.ndarray) -> None:
        if self.frames >= after:
            raise OSError(28, "No space left on device")
        write(self, block)

    monkeypatch.setattr(GrowingWave, "write", failing)


def test_disk_that_fills_up_is_an_error(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fills_up(monkeypatch, 24)
    session = plan.session(record=tmp_path / "run.jsonl", warm_up=False)
    session.process(np.ones(12, np.float32))
    session.process(np.ones(12, np.float32))
    with pytest.raises(OutputError, match="No space left on device"):
        session.process(np.ones(12, np.float32))
    session.close()
    assert len(list(replay(plan, tmp_path / "run.jsonl"))) == 2


# ---- without waiting for the disk ---------------------------------------------------------------


def test_thread_writes_the_same_files(plan: Plan, tmp_path: Path) -> None:
    x = np.random.default_rng(1).uniform(-1, 1, 1200).astype(np.float32)
    for name, waits in (("one", True), ("other", False)):
        path = tmp_path / f"{name}.jsonl"
        with plan.session(record=path, record_waits=waits, warm_up=False) as session:
            session.push(x[:600])
            session.set("scale.factor", 3)
            session.push(x[600:])
            session.note(session.position, late=3.5, blamed="scale")
    for ending in (".jsonl", ".in.wav", ".out.wav"):
        one, other = (tmp_path / f"{name}{ending}" for name in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()
    newest = open_recording(tmp_path / "one.jsonl").events[-1]
    assert newest == LateEvent(tick=100, late=3.5, blamed="scale")


def test_full_disk_does_not_stop_the_session(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fills_up(monkeypatch, 24)
    path = tmp_path / "run.jsonl"
    session = plan.session(record=path, record_waits=False, warm_up=False)
    for _ in range(10):
        session.process(np.ones(12, np.float32))
    with pytest.raises(OutputError, match=r"ends early.*No space left on device"):
        session.close()
    session.close()
    assert len(list(replay(plan, path))) == 2


def test_slow_disk_ends_the_recording(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr("voicegraph.graph.files.recordings.recorder._QUEUE_LENGTH", 4)
    monkeypatch.setattr(GrowingWave, "write", lambda self, block: gate.wait(10))
    session = plan.session(record=tmp_path / "run.jsonl", record_waits=False, warm_up=False)
    for _ in range(10):
        session.process(np.ones(12, np.float32))
    gate.set()
    with pytest.raises(OutputError, match="the disk is too slow"):
        session.close()


# ---- exchanges ---------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [True, False])
def test_hot_swaps_are_replayed(tmp_path: Path, waits: bool) -> None:
    nodes = {
        "loud": node("dsp.gain", "input", db=6.0),
        "low": node("dsp.highpass", "loud", cutoff=80.0),
        "end": node("dsp.gain", "low"),
    }
    plan = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="end").compile()
    x = np.random.default_rng(5).uniform(-1, 1, (200, 160)).astype(np.float32)
    path = tmp_path / "run.jsonl"
    with plan.session(record=path, record_waits=waits) as session:
        made = [session.process(block) for block in x[:50]]
        session.change({"nodes.low.params.cutoff": 200.0})
        made += [session.process(block) for block in x[50:60]]
        session.set("loud.db", -3)
        made += [session.process(block) for block in x[60:120]]
        session.change({"nodes.loud.enabled": False})
        made += [session.process(block) for block in x[120:]]
    recording = open_recording(path)
    again = np.concatenate(list(run(plan_of(recording), recording)), 2)[0, 0]
    np.testing.assert_array_equal(again, np.concatenate(made))
    assert [e.begun for e in recording.events if isinstance(e, SwapEvent)] == [50, 120]


def test_swap_is_replayed_with_its_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial of precisions may end otherwise in the replay, so what was used is recorded."""
    nodes = {"loud": node("dsp.gain", "input", db=6.0), "end": node("dsp.gain", "loud")}
    pipeline = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="end")
    path = tmp_path / "run.jsonl"
    with pipeline.session(record=path) as session:
        session.process(np.zeros(160, np.float32))
        session.change({"nodes.end.use": "dsp.highpass"})
        for _ in range(100):
            session.process(np.zeros(160, np.float32))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (event,) = [line for line in lines if "exchange" in line]
    assert event["setup"]["nodes"]["end"]["precision"] == "float32"
    event["setup"]["nodes"]["end"]["precision"] = "int8"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    recording = open_recording(path)
    wanted: list[dict[str, str]] = []

    def load(plan: Any, devices: Any, precisions: Any) -> None:
        wanted.append({name: choice.dtype for name, choice in precisions.items()})
        load_weights(plan, devices, {})  # no filter computes in int8

    monkeypatch.setattr("voicegraph.graph.runtime.hot_swap.load_weights", load)
    assert len(list(run(plan_of(recording), recording))) == 101
    assert wanted == [{"loud": "float32", "end": "int8"}]


def test_changes_of_profiles_are_replayed(tmp_path: Path) -> None:
    nodes = {"loud": node("dsp.gain", "input", db=6.0), "end": node("dsp.gain", "loud")}
    profiles = {"soft": {"nodes.loud.params.db": -6.0}, "off": {"nodes.end.enabled": False}}
    pipeline = Pipeline(
        block="10ms", input={"rate": 16000}, nodes=nodes, output="end", profiles=profiles
    )
    x = np.random.default_rng(5).uniform(-1, 1, (250, 160)).astype(np.float32)
    path = tmp_path / "run.jsonl"
    with pipeline.session(record=path) as session:
        made = [session.process(block) for block in x[:50]]
        session.change({"nodes.end.params.db": -1.0})
        made += [session.process(block) for block in x[50:100]]
        session.change_profile("soft")
        made += [session.process(block) for block in x[100:150]]
        session.change({"nodes.end.params.db": -3.0})
        made += [session.process(block) for block in x[150:200]]
        session.change_profile("off")
        made += [session.process(block) for block in x[200:]]
        assert session.get("loud.db") == 6.0
    recording = open_recording(path)
    again = np.concatenate(list(run(plan_of(recording), recording)), 2)[0, 0]
    np.testing.assert_array_equal(again, np.concatenate(made))
    texts = [event.text for event in recording.events if isinstance(event, SwapEvent)]
    assert texts[1:3] == [
        "changed: profile soft",
        "changed: profile soft, nodes.end.params.db=-3.0",
    ]


# ---- a process that is killed -----------------------------------------------------------------

KILLED = """
import os, signal, sys
import numpy as np
from voicegraph import Pipeline
from voicegraph.graph.pipeline import node

nodes = {"loud": node("dsp.gain", "input", db=6.0)}
plan = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="loud").compile()
session = plan.session(record=sys.argv[1], record_waits=sys.argv[2] == "True")
for tick in range(50):
    session.process(np.full(160, tick / 100, np.float32))
while (writer := session._files.recording.recorder._writer) and writer.pending:
    pass
os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
"""


@pytest.mark.parametrize("waits", [True, False])
def test_killed_process_leaves_a_playable_recording(tmp_path: Path, waits: bool) -> None:
    path = tmp_path / "run.jsonl"
    command = [sys.executable, "-c", KILLED, str(path), str(waits)]
    assert subprocess.run(command, timeout=120, check=False).returncode != 0
    heard, rate = soundfile.read(path.with_suffix(".in.wav"), dtype="float32")
    assert rate == 16000
    assert len(heard) >= 48 * 160
    recording = open_recording(path)
    made = np.concatenate(list(run(plan_of(recording), recording)), 2)
    kept = np.concatenate(list(recording.output(160, 1)), 2)
    assert made.shape[2] >= kept.shape[2] >= 48 * 160
    np.testing.assert_array_equal(made[..., : kept.shape[2]], kept)
