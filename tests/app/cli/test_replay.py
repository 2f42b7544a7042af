"""``voicegraph replay``: a recording is replayed; other files are errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.pipeline import Pipeline

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def talk(place: Path) -> Path:
    """A recording of half a second, in which something was turned."""
    plan = Pipeline.load("good.yaml").compile()
    x = np.random.default_rng(2).uniform(-0.5, 0.5, 24000).astype(np.float32)
    with plan.session(record="talk.jsonl") as session:
        session.push(x[:9600])
        session.set("low.db", -12)
        session.note(20, late=3.25, blamed="low")
        session.push(x[9600:])
    return place / "talk.jsonl"


def test_replay_is_identical(cli: Cli, talk: Path) -> None:
    code, out, err = cli("replay", "talk.jsonl")
    assert (code, err) == (0, "")
    assert "good: 0.50 s in 50 blocks" in out
    assert "identical: 50 blocks, bit by bit" in out
    assert "low.db" in out
    assert "3.2 ms" in out or "3.3 ms" in out


def test_output_is_written_as_sound_file(cli: Cli, talk: Path) -> None:
    code, out, _ = cli("replay", "talk.jsonl", "-o", "again.wav", "--json")
    assert code == 0
    assert json.loads(out)["result"] == "identical"
    again, rate = soundfile.read("again.wav", dtype="float32")
    then, _ = soundfile.read("talk.out.wav", dtype="float32")
    assert rate == 48000
    assert np.array_equal(again, then)
    code, _, err = cli("replay", "talk.jsonl", "-o", "again.wav")
    assert code == 4
    assert "--force" in err
    assert cli("replay", "talk.jsonl", "-o", "again.wav", "--force")[0] == 0


def test_different_output_is_exit_code_1(cli: Cli, talk: Path) -> None:
    with Path("talk.out.wav").open("r+b") as file:
        file.seek(-400, 2)
        value = np.frombuffer(file.read(4), "<f4") + np.float32(0.25)
        file.seek(-400, 2)
        file.write(value.astype("<f4").tobytes())
    code, out, _ = cli("replay", "talk.jsonl")
    assert code == 1
    assert "different from 0.49 s on (block 49): 1 of 50 blocks, by -12 dB at most" in out


def test_input_saved_by_another_program(cli: Cli, talk: Path) -> None:
    samples, rate = soundfile.read("talk.in.wav", dtype="float32")
    soundfile.write("talk.in.wav", samples, rate, subtype="FLOAT")
    code, _, err = cli("replay", "talk.jsonl")
    assert code == 7
    assert "talk.in.wav was changed after the recording: another program saved it" in err


def test_overrides_are_not_compared(cli: Cli, talk: Path) -> None:
    code, out, _ = cli("replay", "talk.jsonl", "--set", "vars.db=0")
    assert code == 0
    assert "run with changes, so not compared" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere.jsonl"], 7, "nowhere.jsonl"),
        (["talk.in.wav"], 7, "give the .jsonl file"),
        (["good.yaml"], 7, "is not a recording"),
        (["empty.jsonl"], 7, "is not a recording"),
        (["other.jsonl"], 7, "is not a recording"),
        (["."], 7, "is not a recording"),
        (["alone.jsonl"], 7, "alone.in.wav"),
        (["talk.jsonl", "--set", "nodes.low.use=dsp.gian"], 2, "dsp.gain"),
        (["talk.jsonl", "--set", "vars.db"], 2, "vars.db"),
        (["talk.jsonl", "-o", "good.yaml/again.wav"], 4, "good.yaml is a file"),
        (["talk.jsonl", "-o", "again.xyz"], 4, "xyz"),
    ],
)
def test_wrong_arguments_are_refused(
    cli: Cli, talk: Path, arguments: list[str], code: int, said: str
) -> None:
    Path("empty.jsonl").write_bytes(b"")
    Path("other.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    Path("alone.jsonl").write_bytes(talk.read_bytes())
    found, out, err = cli("replay", *arguments)
    assert found == code, err
    assert said in err
    assert out == ""
