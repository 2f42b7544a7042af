"""Snapshots: at any point, through a file, and never restored partially."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from voicegraph.graph.errors import OutputError, StateError
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.session import Session
from voicegraph.graph.runtime.snapshot import Snapshot

Build = Callable[..., Pipeline]
NOISE = np.random.default_rng(6).integers(-9, 10, (2, 1, 400)).astype(np.float32)
NODES = {
    "mix": node("test.sum", {"one": "input", "other": "back"}),
    "back": node("test.shift", "mix", by=17),
    "windows": node("test.estimate", "mix", back=5, ahead=4),
    "join": node("test.join", "windows", back=3),
    "total": node("test.total", "join"),
    "scale": node("test.scale", "total"),
}


@pytest.fixture(scope="module")
def plan(_test_nodes: None) -> Plan:
    return Pipeline(block="10ms", input={"rate": 1200}, nodes=NODES, output="scale").compile()


def opened(plan: Plan, streams: int = 2) -> Session:
    return plan.session(streams, warm_up=False)


@settings(max_examples=40, deadline=None)
@given(
    before=st.integers(0, 100),
    detour=st.integers(0, 100),
    changes=st.lists(st.tuples(st.sampled_from([None, 0, 1]), st.integers(-9, 9)), max_size=3),
    late=st.booleans(),
)
def test_restored_session_continues_bit_identically(
    before: int, detour: int, changes: list[Any], late: bool
) -> None:
    """In the middle of a push, with different params per stream, and with pending changes."""
    plan = Pipeline(block="10ms", input={"rate": 1200}, nodes=NODES, output="scale").compile()
    with opened(plan) as session:
        if not late:
            for stream, value in changes:
                session.set("scale.factor", value, stream)
        session.push(NOISE[..., :before])
        if late:
            for stream, value in changes:
                session.set("scale.factor", value, stream)
        taken = session.snapshot()
        position = session.position
        expected = session.push(NOISE[..., before : before + 100])
        factors = [session.get("scale.factor", stream) for stream in (0, 1)]

        session.set("scale.factor", 50)
        session.push(NOISE[..., :detour])
        session.set("scale.factor", 60)
        session.restore(taken)
        assert session.position == position
        np.testing.assert_array_equal(session.push(NOISE[..., before : before + 100]), expected)
        assert [session.get("scale.factor", stream) for stream in (0, 1)] == factors
    with opened(plan) as other:
        other.push(NOISE[..., :detour])
        other.restore(taken)
        np.testing.assert_array_equal(other.push(NOISE[..., before : before + 100]), expected)


def test_a_loaded_snapshot_does_not_need_its_file(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    with opened(plan) as session:
        session.push(NOISE[..., :55])
        taken = session.snapshot()
    taken.save(path)
    found = Snapshot.load(path)
    with path.open("r+b") as file:  # in place: a mapped file would change, or raise SIGBUS
        file.truncate(8)
    assert found.tensors.keys() == taken.tensors.keys()
    for name, tensor in taken.tensors.items():
        torch.testing.assert_close(found.tensors[name], tensor, rtol=0, atol=0)


def test_snapshot_file_holds_everything(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    with opened(plan) as session:
        session.set("scale.factor", 5, stream=1)
        session.set("scale.span", Fraction(1, 3))
        session.push(NOISE[..., :55])
        session.snapshot().save(path)
        expected = session.push(NOISE[..., 55:])
    found = Snapshot.load(path)
    assert (found.plan, found.position) == (plan.hash, 4)
    assert found.params["scale"][1] == {
        "factor": 5, "high": 100, "low": -100, "span": Fraction(1, 3),
    }  # fmt: skip
    assert found.tensors["pending"].shape == (2, 1, 7)
    assert found.tensors["state/total.total"].dtype == torch.int64
    with opened(plan) as session:
        session.restore(path)
        np.testing.assert_array_equal(session.push(NOISE[..., 55:]), expected)
        assert session.get("scale.span") == Fraction(1, 3)


def test_a_snapshot_is_a_value(plan: Plan) -> None:
    """Running on does not change it, and it can be restored repeatedly."""
    with opened(plan) as session:
        session.push(NOISE[..., :60])
        taken = session.snapshot()
        expected = session.push(NOISE[..., 60:])
        for _ in range(2):
            session.restore(taken)
            np.testing.assert_array_equal(session.push(NOISE[..., 60:]), expected)


# ---- what is refused, with the session as it was ------------------------------------------------


def refuse(plan: Plan, snapshot: Any, text: str, streams: int = 2) -> None:
    with opened(plan, streams) as session:
        x = NOISE[:streams]
        session.push(x[..., :50])
        before = session.snapshot()
        with pytest.raises(StateError, match=text):
            session.restore(snapshot)
        after = session.snapshot()
    assert before.params == after.params
    assert all(torch.equal(t, after.tensors[name]) for name, t in before.tensors.items())


@pytest.fixture
def taken(plan: Plan) -> Snapshot:
    with opened(plan) as session:
        session.push(NOISE[..., :30])
        return session.snapshot()


def test_snapshot_of_other_plan_is_refused(plan: Plan, taken: Snapshot) -> None:
    refuse(plan, dataclasses.replace(taken, plan="2-" + "0" * 16), "belongs to plan 2-00000000")


def test_snapshot_with_an_older_hash_is_restored(plan: Plan, taken: Snapshot) -> None:
    """Its hash was made of names and sizes of files: what can be compared is compared."""
    older = dataclasses.replace(taken, plan="0123456789abcdef")
    with opened(plan) as session:
        session.restore(older)
        assert session.position == taken.position
        (note,) = session.notes
        assert note.startswith("the snapshot was made by an older version, whose plan hash stands")
    refuse(plan, older, "other shapes than those of this session", streams=1)
    more = {**older.tensors, "state/else.total": torch.zeros(2)}
    refuse(plan, dataclasses.replace(older, tensors=more), "other shapes than those")


def test_snapshot_of_other_stream_count_is_refused(plan: Plan, taken: Snapshot) -> None:
    refuse(plan, taken, "other shapes than those of this session", streams=1)


@pytest.mark.parametrize(
    "change",
    [
        {"state/total.total": None},
        {"state/total.total": torch.zeros(2)},
        {"history/mix.out@cpu": torch.zeros(2, 1, 3)},
        {"pending": None},
        {"pending": torch.zeros(2, 1, 12)},
        {"pending": torch.zeros(2, 2, 3)},
        {"pending": torch.zeros(2)},
    ],
)
def test_snapshot_with_other_tensors_is_refused(
    plan: Plan, taken: Snapshot, change: dict[str, Any]
) -> None:
    tensors = {k: v for k, v in {**taken.tensors, **change}.items() if v is not None}
    assert set(change) <= set(taken.tensors)
    refuse(
        plan, dataclasses.replace(taken, tensors=tensors), "other shapes than those of this session"
    )


@pytest.mark.parametrize(
    "params", [None, [], [{}], [{"factor": "x"}], [{"factor": 1}] * 3, "abc", [3]]
)
def test_snapshot_with_wrong_params_is_refused(plan: Plan, taken: Snapshot, params: Any) -> None:
    found = {**taken.params, "scale": params}
    if params is None:
        del found["scale"]
    refuse(plan, dataclasses.replace(taken, params=found), "params of scale")


def test_other_files_are_not_snapshots(plan: Plan, taken: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    refuse(plan, path, "is not a voicegraph snapshot")
    path.write_bytes(b"RIFF" * 100)
    refuse(plan, str(path), "is not a voicegraph snapshot")
    refuse(plan, tmp_path, "is not a voicegraph snapshot")
    save_file({"a": torch.zeros(3)}, path)
    refuse(plan, path, "it is another kind of file")


@pytest.mark.parametrize(
    "header",
    [
        "{", "[]", "3", "{}", '{"plan": "x", "position": "y", "params": {}}',
        '{"plan": "x", "position": 3, "params": [1]}',
        '{"plan": "x", "position": "3", "params": {}}', '{"plan": 3, "position": 3, "params": {}}',
        '{"plan": "x", "position": true, "params": {}}',
        '{"plan": "x", "position": -1, "params": {}}',
        '{"plan": "x", "position": 3.5, "params": {}}', '{"plan": "x", "position": 3}',
        '{"plan": "x", "position": 3, "params": {"a": [3]}}',
        '{"plan": "x", "position": 3, "params": {}, "more": 1}', "[" * 9000 + "]" * 9000,
        '{"plan": "x", "position": 3, "params": {"a": [{"b": {"$fraction": "1/0"}}]}}',
        '{"plan": "x", "position": 3, "params": {"a": [{"b": {"$fraction": "1e9999999"}}]}}',
    ],
)  # fmt: skip
def test_a_file_with_a_broken_header(
    plan: Plan, taken: Snapshot, tmp_path: Path, header: str
) -> None:
    path = tmp_path / "s.safetensors"
    taken.save(path)
    save_file(load_file(path), path, {"format": "voicegraph-snapshot-1", "snapshot": header})
    refuse(plan, path, "is not a voicegraph snapshot")


@pytest.mark.parametrize("size", [1 << 62, 1 << 63, (1 << 64) - 1])
def test_sizes_beside_zero_that_no_tensor_can_have(
    plan: Plan, taken: Snapshot, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "s.safetensors"
    shape = [0, size, 4]
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
    header = json.dumps({"state": entry}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    refuse(plan, path, "is not a voicegraph snapshot")


def test_the_header_is_plain_json(taken: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    taken.save(path)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["snapshot"])
    assert header["position"] == 2
    assert header["params"]["scale"][0]["span"] == {"$fraction": "1/3"}


def test_a_place_that_cannot_be_written(taken: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file, not a folder"):
        taken.save(tmp_path / "file" / "s.safetensors")


def test_library_error_is_an_output_error(
    taken: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise SafetensorError("no space left")

    monkeypatch.setattr("voicegraph.graph.runtime.snapshot.save_file", fail)
    with pytest.raises(OutputError, match="no space left"):
        taken.save(tmp_path / "state.safetensors")
    assert list(tmp_path.iterdir()) == []
