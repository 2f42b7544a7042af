"""Recordings with wrong values: each is named with its line and column."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.errors import OutputError, StateError, VoicegraphError
from voicegraph.graph.files.recordings._json_places import column_of
from voicegraph.graph.files.recordings._lines import read_lines
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of, run
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.recorded_events import EVENT_KINDS, UnknownEvent


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    nodes = {"loud": node("dsp.gain", "input")}
    plan = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="loud").compile()
    with plan.session(record=tmp_path / "talk.jsonl", warm_up=False) as session:
        session.push(np.zeros(1600, np.float32))
    return tmp_path / "talk.jsonl"


def _with(talk: Path, header: dict[str, Any] | None = None, *events: str) -> Path:
    """The recording with other header values, and these events."""
    values = json.loads(talk.read_text(encoding="utf-8").splitlines()[0])
    for key, value in (header or {}).items():
        inner, _, last = key.rpartition(".")
        (values[inner] if inner else values)[last] = value
    lines = [json.dumps(values), *events]
    talk.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return talk


def _refused(talk: Path) -> str:
    with pytest.raises(StateError) as caught:
        open_recording(talk)
    assert all(problem.mark and problem.mark.line for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize(
    ("event", "column", "said"),
    [
        ('{"tick": "x", "reset": true, "stream": null}', 10, 'tick is "x", expected a whole num'),
        ('{"tick": -1, "reset": true, "stream": null}', 10, "tick is -1, expected at least 0"),
        ('{"tick": 1.5, "reset": true, "stream": null}', 10, "tick is 1.5, expected a whole num"),
        ('{"tick": true, "reset": true, "stream": null}', 10, "tick is true, expected a whole"),
        ('{"tick": 1, "reset": "no", "stream": null}', 22, 'reset is "no", expected True'),
        ('{"tick": 1, "reset": true, "stream": [0]}', 38, "stream is [0], expected a whole"),
        ('{"tick": 1, "reset": true, "stream": 4096}', 38, "stream is 4096, expected less than"),
        ('{"tick": 1, "set": 3, "value": 1, "stream": 0}', 20, "set is 3, expected text"),
        ('{"tick": 1, "set": "a.b", "stream": 0}', 1, "`value` is missing"),
        ('{"tick": 1, "set": "a.b", "value": {"$fraction": "1/0"}, "stream": 0}', 36,
         "value: '1/0' is not a fraction"),
        ('{"tick": 1, "set": "a.b", "value": 1, "stream": 0, "x": 1}', 57, "`x` is no key"),
        ('{"tick": 1, "exchange": [], "begun": 1, "plan": "", "files": []}', 25,
         "exchange is [], expected a mapping"),
        ('{"tick": 1, "exchange": {}, "begun": 2, "plan": "", "files": []}', 1, "began at 2"),
        ('{"tick": 1, "exchange": {}, "begun": 1, "plan": "", "files": [3]}', 63, "files.0 is 3"),
        ('{"tick": 1, "late": "much", "blamed": "a"}', 21, 'late is "much", expected a number'),
        ('{"tick": 1, "late": 3, "blamed": 5}', 34, "blamed is 5, expected text"),
        ('{"tick": 1, "dropped": -1}', 24, "dropped is -1, expected at least 0"),
        ('{"tick": 1, "realigned": {}}', 26, "realigned is {}, expected a number"),
        ('{"tick": 1, "silence": null}', 24, "silence is null, expected a whole number"),
        ('{"tick": 1, "fault": 1, "error": "x"}', 22, "fault is 1, expected text"),
        ('{"tick": 1}', 1, "expected an event"),
        ("[1, 2]", 1, "expected an event"),
        ('{"tick": 1,', 12, "this is not JSON"),
        ('{"tick": ' + "9" * 5000 + ', "reset": true}', 1, "Exceeds the limit"),
        ('{"tick": 1, "set": "a", "value": ' + "[" * 9000 + "]" * 9000 + "}", 1, "more deeply"),
    ],
)  # fmt: skip
def test_wrong_events_are_named_with_line_and_column(
    talk: Path, event: str, column: int, said: str
) -> None:
    good = '{"tick": 0, "dropped": 1}'
    text = _refused(_with(talk, None, good, event))
    assert f"talk.jsonl:3:{column}  " in text
    assert said in text


def test_all_mistakes_are_told_at_once(talk: Path) -> None:
    events = ('{"tick": 1, "late": "x"}', '{"tick": [], "x": 1}')
    text = _refused(_with(talk, {"streams": "2"}, *events))
    for place in ("talk.jsonl:1:", "talk.jsonl:2:21", "talk.jsonl:3:10"):
        assert place in text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("streams", 10**12, "streams is 1000000000000, expected at most 4096"),
        ("source.channels", 10**9, "source.channels is 1000000000, expected at most 1024"),
        ("streams", 0, "expected at least 1"),
        ("streams", "2", 'streams is "2", expected a whole number'),
        ("samples", 1 << 40, "takes 4194304 MiB, expected at most 256 MiB"),
        ("source.rate", "1e999999999", "source.rate is wrong: expected a fraction"),
        ("source.rate", "9" * 31, "source.rate is wrong: expected a fraction"),
        ("source.rate", "1/0", "source.rate is wrong: expected a fraction"),
        ("source.rate", 16000.5, "source.rate is wrong: expected a fraction"),
        ("source.rate", "0", "expected more than 0"),
        ("held", "-1", "held is wrong: expected a fraction"),
        ("held", "4000", "expected at most 3600"),
        ("document", [1], "document is [1], expected a mapping"),
        ("document", {"block": {"$fraction": "x"}}, "document: 'x' is not a fraction"),
        ("files", {}, "files is {}, expected a list"),
        ("swapped", [1], "swapped.0 is 1, expected text"),
        ("seed", "0", 'seed is "0", expected a whole number'),
        ("circumstances", None, "circumstances is null, expected a mapping"),
        ("new", 1, "`new` is no key of this version"),
        ("format", "voicegraph-recording-3", "its format is voicegraph-recording-3"),
        ("format", 3, "its first line is not that of voicegraph-recording-2"),
    ],
)
def test_wrong_headers_are_refused(talk: Path, key: str, value: Any, said: str) -> None:
    assert said in _refused(_with(talk, {key: value}))


def test_streams_times_channels_is_bounded(talk: Path) -> None:
    text = _refused(_with(talk, {"streams": 4096, "source.channels": 1024}))
    assert "4096 streams of 1024 channels, expected at most 65535 channels together" in text


def test_binary_and_endless_lines(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = talk.read_bytes()
    talk.write_bytes(raw + b'{"tick": 1, "x": "\xff"}\n')
    assert "talk.jsonl:2:19  " in _refused(talk)
    monkeypatch.setattr("voicegraph.graph.files.recordings._lines._LONGEST_LINE", 8000)
    talk.write_bytes(raw + b" " * 8000)
    assert "talk.jsonl:2:1  " in _refused(talk)
    monkeypatch.setattr("voicegraph.graph.files.recordings._lines._LARGEST_FILE", 4000)
    talk.write_bytes(raw + b'{"tick": 1, "dropped": 1}\n' * 200)
    assert "of lines" in _refused(talk)


def test_unknown_kinds_are_kept_and_named(talk: Path) -> None:
    found = open_recording(
        _with(talk, None, '{"tick": 1, "warp": 9}', '{"tick": 2, "late": 1, "n": 2}')
    )
    assert isinstance(found.events[0], UnknownEvent)
    assert found.unknown_kinds() == ["warp"]
    assert [event.text for event in found.events] == ["warp: 9", "overrun by 1.0 ms: no node"]


@pytest.mark.parametrize(
    "event",
    [
        '{"tick": 3, "set": "loud.dB", "value": 1, "stream": null}',
        '{"tick": 3, "set": "loud.db", "value": [], "stream": null}',
        '{"tick": 3, "set": "loud.db", "value": 1, "stream": 7}',
        '{"tick": 3, "reset": true, "stream": 7}',
        '{"tick": 4, "exchange": {"nodes.x.y": 1}, "begun": 3, "plan": "", "files": []}',
        '{"tick": 4, "exchange": {"block": "20ms"}, "begun": 3, "plan": "", "files": []}',
    ],
)
def test_events_that_do_not_fit_the_pipeline_are_named(talk: Path, event: str) -> None:
    recording = open_recording(_with(talk, None, event))
    with pytest.raises(VoicegraphError) as caught:
        list(run(plan_of(recording), recording))
    assert "talk.jsonl:2:1" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_not_opened(talk: Path) -> None:
    sound = talk.with_suffix(".in.wav")
    sound.unlink()
    os.mkfifo(sound)
    with pytest.raises(StateError, match=r"talk\.in\.wav is a pipe"):
        open_recording(talk)


def test_session_too_large_for_a_recording(tmp_path: Path) -> None:
    plan = Pipeline(block="10ms", nodes={"a": node("dsp.gain", "input")}, output="a").compile()
    with pytest.raises(OutputError, match=r"5000 streams.* is too large for a recording"):
        plan.session(5000, record=tmp_path / "a.jsonl", warm_up=False)
    assert not list(tmp_path.iterdir())


def test_note_of_a_wrong_type_is_an_error_of_the_caller(tmp_path: Path) -> None:
    plan = Pipeline(block="10ms", nodes={"a": node("dsp.gain", "input")}, output="a").compile()
    with plan.session(record=tmp_path / "a.jsonl", record_waits=False, warm_up=False) as session:
        with pytest.raises(ValueError, match="late"):
            session.note(1, late="much")
        with pytest.raises(TypeError, match="JSON"):
            session.note(1, mine=object())
        session.note(1, mine=[1, {"a": None}])
    _, events = read_lines(tmp_path / "a.jsonl")
    assert [event.text for event in events] == ["mine: [1, {'a': None}]"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from([*EVENT_KINDS, "tick", "stream", "value", "x"]), JSON)


@given(st.lists(EVENTS, max_size=3), st.dictionaries(st.sampled_from(["streams", "source"]), JSON))
def test_any_json_is_an_error_or_a_recording(
    tmp_path_factory: pytest.TempPathFactory, events: list[Any], header: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.jsonl"
    known = {
        "format": "voicegraph-recording-2", "pipeline": "p", "plan": "", "document": None,
        "source": {"rate": "1", "channels": 1}, "target": None, "held": "0", "streams": 1,
        "samples": 1, "seed": 0, "files": [],
        "circumstances": {
            "voicegraph": "", "torch": "", "numpy": "", "machine": "", "cpu": "", "threads": 1,
        },
    }  # fmt: skip
    lines = [json.dumps(one) for one in ({**known, **header}, *events)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    try:
        read_lines(path)
    except StateError as error:
        assert all(problem.mark for problem in error.problems)  # noqa: PT017


@given(JSON)
def test_columns_of_values(values: Any) -> None:
    line = json.dumps({"a": [values, 5], "b": {"a": 6}, "a ": 7})
    for path, value in ((["a", 1], "5"), (["b", "a"], "6"), (["a "], "7")):
        assert line[column_of(line, path) - 1 :].startswith(value)
    assert column_of(line, ["b", "none"]) == column_of(line, ["b"])
    assert column_of(line, ["a", 9]) == column_of(line, ["a"])
