"""Recordings whose plan hash was made by the older rule, of names and sizes of files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from voicegraph.app.cli.app import main
from voicegraph.graph.errors import StateError
from voicegraph.graph.files.recordings.replay import replay
from voicegraph.graph.pipeline import Pipeline

PIPELINE = """
block: 10ms
input: {rate: 16000}
vars: {db: -6, m: model.bin}
nodes:
  loud: {use: dsp.gain, in: input, params: {db: $db}}
  read: {use: test.reading, in: loud, params: {file: $m}}
output: read
"""
CONTENT = b"model" * 1000


def _fingerprint() -> str:
    """As versions with the older rule wrote it."""
    size = len(CONTENT).to_bytes(8, "little")
    return hashlib.blake2b(size + CONTENT, digest_size=16).hexdigest()


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _reading_node: str) -> Path:
    """The recording, as an older version would have written it."""
    monkeypatch.chdir(tmp_path)
    Path("model.bin").write_bytes(CONTENT)
    Path("talk.yaml").write_text(PIPELINE, encoding="utf-8")
    with Pipeline.load("talk.yaml").session(record="talk.jsonl") as session:
        session.push(np.ones(1600, np.float32))
    path = tmp_path / "talk.jsonl"
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    header = json.loads(first)
    header["plan"] = "0123456789abcdef"
    header["files"][0]["fingerprint"] = _fingerprint()
    path.write_text("\n".join([json.dumps(header), *rest, ""]), encoding="utf-8")
    return path


def test_it_is_compared_with_a_remark(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(older)]) == 0
    found = capsys.readouterr()
    assert "identical: 10 blocks" in found.out
    assert found.err == (
        "the recording was made by an older version, whose plan hash stands for the names and "
        "sizes of files: the pipeline and the contents of its files were compared instead\n"
    )


def test_a_file_that_was_moved_changes_nothing(
    older: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model.bin").rename("moved.bin")
    assert main(["replay", str(older), "--set", "vars.m=moved.bin"]) == 0
    assert "identical: 10 blocks" in capsys.readouterr().out


def test_another_param_is_a_change(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(older), "--set", "vars.db=-7"]) == 0
    assert "run with changes, so not compared" in capsys.readouterr().out


def test_other_contents_of_one_size_are_refused(
    older: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model.bin").write_bytes(b"other" * 1000)
    assert main(["replay", str(older)]) == 3
    assert "its contents differ" in capsys.readouterr().err


def test_the_plan_is_compared_in_python(older: Path) -> None:
    plan = Pipeline.load("talk.yaml").compile()
    assert len(list(replay(plan, older))) == 10
    other = Pipeline.load("talk.yaml", {"vars.db": -7}).compile()
    with pytest.raises(StateError, match="was recorded with plan 0123456789abcdef"):
        replay(other, older)
