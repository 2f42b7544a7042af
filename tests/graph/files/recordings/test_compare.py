"""Replays are compared with what was heard; files and circumstances are looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.app.cli.app import main
from voicegraph.graph.errors import StateError
from voicegraph.graph.files.recordings._growing_wave import HEADER
from voicegraph.graph.files.recordings.compare import compare
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of
from voicegraph.graph.pipeline import Pipeline, node

from ....tolerance import SAMPLES, assert_close

PIPELINE = """\
block: 10ms
input: {rate: 16000}
vars: {db: -6}
nodes:
  loud: {use: dsp.gain, in: input, params: {db: $db}}
  end: {use: dsp.gain, in: loud}
output: end
"""


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording of a second."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.yaml").write_text(PIPELINE, encoding="utf-8")
    plan = Pipeline.load("talk.yaml", {"vars.db": -3}).compile()
    x = np.random.default_rng(2).uniform(-0.5, 0.5, 16000).astype(np.float32)
    with plan.session(record="talk.jsonl") as session:
        session.push(x[:8000])
        session.set("end.db", -12)
        session.note(50, late=3.25, blamed="loud")
        session.push(x[8000:])
    (tmp_path / "talk.yaml").unlink()
    return tmp_path / "talk.jsonl"


def _spoil(path: Path, at: int, value: float) -> None:
    samples, rate = soundfile.read(path, dtype="float32")
    samples[at] = value
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) - 4 * len(samples)] + samples.astype("<f4").tobytes())
    assert rate == 16000


def test_replay_of_the_same_plan_is_identical(
    talk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(talk)]) == 0
    text = capsys.readouterr().out
    assert "identical: 100 blocks, bit by bit" in text
    assert "end.db = -12" in text
    assert "overrun by 3.2 ms: loud" in text
    assert main(["replay", str(talk), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["result"], found["compared"], found["difference"]) == ("identical", 100, None)


def test_difference_is_reported_with_place_and_size(
    talk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _spoil(talk.with_suffix(".out.wav"), 4000, 0.9)
    assert main(["replay", str(talk)]) == 1
    assert "different from 0.25 s on (block 25): 1 of 100 blocks" in capsys.readouterr().out


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0])
def test_nan_and_infinity_count_as_different(talk: Path, value: float) -> None:
    _spoil(talk.with_suffix(".out.wav"), 0, value)
    recording = open_recording(talk)
    assert compare(plan_of(recording), recording).result == "different"


def test_changed_environment_is_reported(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _spoil(talk.with_suffix(".out.wav"), 4000, 0.9)
    text = talk.read_text(encoding="utf-8")
    header = json.loads(text.partition("\n")[0])
    header["circumstances"]["torch"] = "1.0"
    talk.write_text(json.dumps(header) + "\n" + text.partition("\n")[2], encoding="utf-8")
    assert main(["replay", str(talk)]) == 1
    assert "torch: 1.0 then" in capsys.readouterr().out


def _cut(path: Path, blocks: int) -> None:
    """Leaves so many blocks, and a part of the next one; the header stays."""
    path.write_bytes(path.read_bytes()[: HEADER + 4 * (160 * blocks + 60)])


@pytest.mark.parametrize(
    ("name", "blocks", "result", "said"),
    [
        ("out", 93, "partial", "93 of 100 blocks compared: these are identical, bit by bit; "
         "talk.out.wav holds 93 of 100 recorded blocks"),
        ("in", 20, "partial", "20 of 100 blocks compared: these are identical, bit by bit; "
         "talk.in.wav holds 20 of 100 recorded blocks"),
        ("in out", 4, "partial", "4 of 100 blocks compared"),
        ("out", None, "nothing", "nothing to compare; talk.out.wav is missing"),
        ("out", 0, "nothing", "nothing to compare; talk.out.wav holds 0 of 100 recorded blocks"),
        ("in", 0, "nothing", "nothing to compare; talk.in.wav holds 0 of 100 recorded blocks"),
        ("in out", 0, "nothing", "nothing to compare"),
    ],
)  # fmt: skip
def test_incomplete_recordings_get_no_verdict(
    talk: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    blocks: int | None,
    result: str,
    said: str,
) -> None:
    for end in name.split():
        path = talk.with_suffix(f".{end}.wav")
        path.unlink() if blocks is None else _cut(path, blocks)
    assert main(["replay", str(talk)]) == 1
    assert said in capsys.readouterr().out
    assert main(["replay", str(talk), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["result"] == result


def test_recording_without_any_block(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = {"loud": node("dsp.gain", "input")}
    plan = Pipeline(block="10ms", nodes=nodes, output="loud").compile()
    plan.session(record=tmp_path / "none.jsonl").close()
    for more in ([], ["--set", "nodes.loud.params.db=-3"]):
        assert main(["replay", str(tmp_path / "none.jsonl"), *more]) == 1
        assert "nothing was recorded" in capsys.readouterr().out


def test_empty_sound_file_is_no_verdict(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk.with_suffix(".in.wav").write_bytes(b"")
    assert main(["replay", str(talk)]) == 1
    assert "nothing to compare" in capsys.readouterr().out


def test_output_that_is_no_audio_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = {"probe": node("io.probe", "input")}
    plan = Pipeline(block="10ms", nodes=nodes, output="probe.level").compile()
    with plan.session(record=tmp_path / "level.jsonl") as session:
        session.push(np.zeros(4800, np.float32))
    assert main(["replay", str(tmp_path / "level.jsonl")]) == 1
    assert "the output is no audio" in capsys.readouterr().out


def test_other_plan_hash_is_compared_and_told(
    talk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another version may make another hash of the same plan; only overrides change it."""
    text = talk.read_text(encoding="utf-8")
    talk.write_text(text.replace(json.loads(text.splitlines()[0])["plan"], "other"), "utf-8")
    assert main(["replay", str(talk), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["result"] == "identical"
    assert "plan: other then" in found["circumstances"][-1]


def test_replay_with_overrides_is_not_compared(
    talk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["replay", str(talk), "--set", "vars.db=-20", "-o", "other.wav"]
    assert main(arguments) == 0
    assert "run with changes, so not compared" in capsys.readouterr().out
    before = soundfile.read(talk.with_suffix(".out.wav"))[0]
    after = soundfile.read("other.wav")[0]
    assert_close(after, before * 10 ** (-17 / 20), SAMPLES)
    assert main(arguments) == 4
    assert "exists" in capsys.readouterr().err


def test_recording_without_a_pipeline_is_an_error(talk: Path) -> None:
    text = talk.read_text(encoding="utf-8")
    header = json.loads(text.partition("\n")[0])
    header["document"] = None
    talk.write_text(json.dumps(header) + "\n", encoding="utf-8")
    with pytest.raises(StateError, match="does not contain its pipeline"):
        plan_of(open_recording(talk))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"streams": 0}, "streams"),
        ({"streams": 10**12}, "streams"),
        ({"samples": "many"}, "samples"),
        ({"source": {"rate": "1/0", "channels": 1}}, "source.rate"),
        ({"format": "voicegraph-recording-9"}, "this version reads"),
        ({"extra": 1}, "extra"),
    ],
)
def test_invalid_headers_are_errors(
    talk: Path, change: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    header = json.loads(talk.read_text(encoding="utf-8").partition("\n")[0])
    talk.write_text(json.dumps({**header, **change}) + "\n", encoding="utf-8")
    assert main(["replay", str(talk)]) == 7
    assert said in capsys.readouterr().err


# ---- files that the pipeline reads --------------------------------------------------------------


@pytest.fixture
def with_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _reading_node: str) -> Path:
    """A recording of a pipeline that reads ``folder/model.bin``, named relative to its file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.bin").write_bytes(b"model" * 1000)
    text = PIPELINE.replace(
        "dsp.gain, in: loud", f"{_reading_node}, in: loud, params: {{file: $m}}"
    )
    text = text.replace("{db: -6}", "{db: -6, m: model.bin}")
    (tmp_path / "folder" / "talk.yaml").write_text(text, encoding="utf-8")
    with Pipeline.load("folder/talk.yaml").session(record="talk.jsonl") as session:
        session.push(np.ones(1600, np.float32))
    return tmp_path / "talk.jsonl"


def test_files_are_found_from_any_folder(
    with_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert main(["replay", str(with_file)]) == 0


def test_moved_file_can_be_named_anew(
    with_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "folder" / "model.bin").rename(tmp_path / "moved.bin")
    assert main(["replay", str(with_file)]) == 3
    said = capsys.readouterr().err
    assert "model.bin, which the recording was made with, is missing" in said
    assert "--set vars.m=PATH" in said
    assert main(["replay", str(with_file), "--set", "vars.m=moved.bin"]) == 0


@pytest.mark.parametrize("content", [b"other" * 1000, b"short"])
def test_changed_file_is_an_error(
    with_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "folder" / "model.bin").write_bytes(content)
    assert main(["replay", str(with_file)]) == 3
    assert "is not the file that the recording was made with" in capsys.readouterr().err


def test_recorded_hot_swap_compiles_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Params of the node that was swapped out stand in the document still."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.yaml").write_text(PIPELINE, encoding="utf-8")
    plan = Pipeline.load("talk.yaml", {"nodes.loud.use": "dsp.limiter"}).compile()
    with plan.session(record="talk.jsonl") as session:
        session.push(np.ones(1600, np.float32))
    assert plan_of(open_recording("talk.jsonl")).hash == plan.hash


def test_pipeline_built_in_python_replays(tmp_path: Path) -> None:
    pipeline = Pipeline(block="10ms", nodes={"a": node("dsp.gain", "input", db=-6)}, output="a")
    with pipeline.session(record=tmp_path / "a.jsonl") as session:
        session.push(np.ones(4800, np.float32))
    recording = open_recording(tmp_path / "a.jsonl")
    assert compare(plan_of(recording), recording).result == "identical"


def test_another_precision_is_told(talk: Path) -> None:
    """As on a machine that does not have the one that `dtype: auto` took."""
    header, *events = talk.read_text(encoding="utf-8").splitlines()
    recorded = json.loads(header)
    assert recorded["setup"]["nodes"]["loud"]["precision"] == "float32"
    recorded["setup"]["nodes"]["loud"]["precision"] = "int8"
    talk.write_text("\n".join((json.dumps(recorded), *events)), encoding="utf-8")
    recording = open_recording(talk)
    report = compare(plan_of(recording, {}), recording)
    assert "loud computed in int8 then, in float32 now" in report.circumstances
