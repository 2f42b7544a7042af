"""What is said of a recording without a replay."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voicegraph.app.cli.app import main
from voicegraph.graph.errors import StateError
from voicegraph.graph.files.recordings.summary import looks_like_recording, summarize
from voicegraph.graph.pipeline import Pipeline, node


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """A take that begins after half a second, with a mark after 0.2 s."""
    nodes = {"low": node("dsp.gain", "input", db=-6.0)}
    plan = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="low").compile()
    path = tmp_path / "take.jsonl"
    with plan.session(warm_up=False) as session:
        session.push(np.zeros(8000, np.float32))
        session.start_recording(path)
        session.push(np.zeros(3200, np.float32))
        session.note(session.position, mark="cho\x1brus")
        session.set("low.db", -3.0)
        session.push(np.zeros(1600, np.float32))
    return path


def test_take_is_described(take: Path) -> None:
    found = summarize(take)
    assert (found.seconds, found.blocks, found.begun_s) == (pytest.approx(0.3), 30, 0.5)
    assert [(mark.seconds, mark.text) for mark in found.marks] == [(0.2, "cho\x1brus")]
    assert found.events == {"set": 1}
    assert found.size_bytes == sum(file.stat().st_size for file in take.parent.iterdir())


def test_inspect_lists_marks(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(take)]) == 0
    out = capsys.readouterr().out
    assert "0.30 s in 30 blocks, begun 0.5 s after the session" in out
    assert "0.20 s  cho\\x1brus" in out
    assert main(["inspect", str(take), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["files"]) == (True, [])
    assert report["recordings"][0]["blocks"] == 30


def test_broken_recording_is_no_model(take: Path) -> None:
    with take.open("a", encoding="utf-8") as file:
        file.write('{"tick": 1, "mark": 7}\n')
    assert looks_like_recording(take)
    with pytest.raises(StateError, match="expected"):
        summarize(take)
