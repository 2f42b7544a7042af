"""Traces: valid JSON, one event per node and tick, and our own errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.errors import OutputError, StateError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]
BLOCK = np.ones(12, np.float32)


@pytest.fixture
def pipeline(build: Build) -> Pipeline:
    return build({"a": node("test.slow", "input"), "b": node("test.slow", "a")}, name="two")


def test_the_file_is_a_trace_event_array(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with pipeline.session(trace=path) as session:
        for _ in range(3):
            session.process(BLOCK)
    names, events = [], []
    for event in json.loads(path.read_text(encoding="utf-8")):
        (names if event["ph"] == "M" else events).append(event)
    assert [e["args"]["name"] for e in names] == ["voicegraph two", "engine"]
    assert [e["name"] for e in events] == ["a", "b"] * 3  # nothing of the warm-up
    for event in events:
        assert event["ph"] == "X"
        assert event["dur"] >= 2000  # microseconds
        assert (event["pid"], event["tid"]) == (0, 0)
    starts = [event["ts"] for event in events]
    assert starts == sorted(starts)


def test_a_session_without_ticks_leaves_a_valid_file(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    session = pipeline.session(trace=path, warm_up=False)
    session.close()
    session.close()
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 2
    with pytest.raises(StateError, match="closed"):
        session.process(BLOCK)


def test_a_place_that_cannot_be_written(pipeline: Pipeline, tmp_path: Path) -> None:
    """Files opened before are closed again: the recording is complete and can be removed."""
    with pytest.raises(OutputError, match=r"the trace .*nowhere.* cannot be written"):
        pipeline.session(
            trace=tmp_path / "nowhere" / "t.json", record=tmp_path / "r.jsonl", warm_up=False
        )
    assert (tmp_path / "r.jsonl").read_text(encoding="utf-8").count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_no_traceback(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "trace.json").symlink_to("/dev/full")
    session = pipeline.session(trace=tmp_path / "trace.json", warm_up=False)
    session.process(BLOCK)
    with pytest.raises(OutputError, match=r"the trace .* cannot be written: No space left"):
        session.close()
