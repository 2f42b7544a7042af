"""``voicegraph soak`` and the options it shares with ``live`` and ``latency``."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from voicegraph.app.cli.app import main
from voicegraph.graph.live.simulated_card import Simulation

PASSING = """\
block: 20ms
input: {rate: 16000}
nodes:
  pass: {use: dsp.gain, in: input}
output: pass
"""


@pytest.fixture
def passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "passing.yaml").write_text(PASSING, encoding="utf-8")
    return "passing.yaml"


@pytest.fixture
def _constant_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict must not depend on other programs of the machine that runs the tests."""
    monkeypatch.setattr(Simulation, "_compute_time", lambda self: 0.001)


@pytest.mark.usefixtures("_constant_cost")
def test_freewheeling_soak_passes(passing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", passing, "--freewheel", "--minutes", "0.5", "--drift", "80"]) == 0
    text = capsys.readouterr().out
    assert "0.5 min of audio in" in text
    assert "passed: no block was late, no block was dropped, no device underrun, " in text
    assert "latency" in text


@pytest.mark.usefixtures("_constant_cost")
def test_blocks_longer_by_their_own_cpu_time_are_counted(
    passing: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that goes on by 25 ms each time it is read: the blocks have 20 ms."""
    clock = itertools.count(step=0.025)
    monkeypatch.setattr("time.thread_time", lambda: next(clock))
    arguments = ["soak", passing, "--freewheel", "--minutes", "0.1", "--set", "block=20ms"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    blocks = re.search(r"(\d+) blocks of 20 ms", text)
    assert blocks is not None
    assert f"median 25.0 ms, p99 25.0 ms, max 25.0 ms of 20 ms; {blocks[1]} blocks longer" in text


@pytest.mark.usefixtures("_constant_cost")
def test_json_is_a_soak_report(passing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", passing, "--freewheel", "--minutes", "0.2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["freewheel"] is True
    assert found["failures"] == []
    assert found["minutes"] == pytest.approx(0.2)


def test_failure_is_exit_code_1(
    passing: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicegraph.app.diagnostics._soak_verdict._MAX_BOUNDARY_DB", -200.0)
    assert main(["soak", passing, "--freewheel", "--minutes", "0.2"]) == 1
    assert "failed: borders of blocks stand out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["soak", "nixda"], "no shipped pipeline"),
        (["soak", "{}", "--minutes", "0"], "--minutes"),
        (["soak", "{}", "--margin", "much"], "--margin"),
        (["live", "{}", "--silence-closes", "-10"], "must be below --silence-opens"),
        (["live", "{}", "--b", "nodes.pass"], "--b nodes.pass"),
        (["live", "{}", "--room", "late"], "--room"),
        (["live", "{}", "--duration", "long"], "--duration"),
        (["live", "{}", "--input-select", "0"], "not a list of channels"),
        (["live", "{}", "--buffers", "tiny"], "--buffers"),
        (["live", "{}", "--osc-feedback", "127.0.0.1:9011"], "needs OSC"),
        (["live", "{}", "--http", "0.0.0.0:8765"], "needs a token"),
    ],
)
def test_wrong_options_are_refused(
    passing: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([text.format(passing) for text in arguments]) not in (0, None)
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_limits_decide_the_exit_code(
    passing: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulation, "_compute_time", lambda self: 0.025)
    command = ["soak", passing, "--freewheel", "--minutes", "0.2"]
    assert main(command) == 1
    text = capsys.readouterr().out
    assert "failed: " in text
    assert "blocks were late, by up to" in text
    assert "none is allowed (--max-late 0)" in text
    assert main([*command, "--max-late", "9999", "--max-dropped", "9999"]) == 0
    assert "blocks were late (allowed)" in capsys.readouterr().out
