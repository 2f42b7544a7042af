"""``tools/fuzz``: every reader with a few mutated files, and that what goes wrong is found."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUZZED = (
    *("pickle", "zip", "safetensors", "export", "onnx", "index", "recording", "snapshot"),
    *("pipeline", "set", "sound", "archive"),
)
CASES = 40
"""Of each reader here; more: ``python tools/check.py fuzz --minutes 10``."""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``tool("campaign")``: a module of the tool."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return lambda name: importlib.import_module(f"fuzz.{name}")


@pytest.mark.parametrize("name", FUZZED)
def test_mutated_files_are_read_or_refused(tool: Any, tmp_path: Path, name: str) -> None:
    cases = tool("cases").Cases(tool("readers").READERS[name], 1, tmp_path)
    outcomes = {number: cases.run(number) for number in range(CASES)}
    kinds = {outcome.kind for outcome in outcomes.values()}
    assert {n: o.why for n, o in outcomes.items() if o.kind == "finding"} == {}
    assert kinds == {"accepted", "refused"}


def test_every_reader_is_named_on_the_command_line(tool: Any) -> None:
    assert tuple(tool("readers").READERS) == FUZZED


def test_a_case_is_the_same_each_time(tool: Any, tmp_path: Path) -> None:
    reader = tool("readers").READERS["pipeline"]
    one, other = (tool("cases").Cases(reader, 1, tmp_path / name) for name in "ab")
    assert [one.files(n) for n in range(30)] == [other.files(n) for n in range(30)]
    third = tool("cases").Cases(reader, 2, tmp_path / "c")
    assert [one.files(n) for n in range(10, 30)] != [third.files(n) for n in range(10, 30)]


def test_mutations_stay_small_and_change_something(tool: Any) -> None:
    seeds = [{"a": bytes(range(256)) * 20, "b": b"word: [1, 2]"}]
    made = [tool("mutation").mutated(seeds, (b"null",), random.Random(n)) for n in range(300)]
    changed = sum(files != seeds[0] for files in made)
    assert changed > 250
    assert max(len(data) for files in made for data in files.values()) <= 4 << 20
    assert sum(files["b"] != seeds[0]["b"] for files in made) > 20


PLANTED = """
import os, time
from pathlib import Path
from fuzz.cases import Reader
from voicegraph.graph.errors import Problem, StateError

def read(path):
    kind = int(path.read_bytes())
    if kind == 1:
        raise StateError(Problem("no", "it is refused"))
    if kind == 2:
        raise KeyError("planted")
    if kind == 3:
        os.abort()
    if kind == 4:
        time.sleep(60)
    if kind == 5:
        b"x" * (5 << 30)
    if kind == 6:
        os.system("true")

def seeds(folder):
    return [{"a": b"%d" % n} for n in (0, *range(7))]

READERS = {"planted": Reader("planted", seeds, read)}
"""


def test_what_goes_wrong_is_found(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted.py").write_text(PLANTED, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    campaign = tool("campaign")
    settings = campaign.Settings(["planted"], cases=8, table="planted", longest_s=1.0)
    kept = tmp_path / "kept"
    (tally,) = campaign.run(settings, kept)
    assert tally.accepted == 2
    assert tally.findings[2] == "a valid file is refused: it is refused"
    assert tally.findings[3] == "KeyError at planted.py:12: 'planted'"
    assert tally.findings[4].startswith("the process ended with ")
    assert tally.findings[5] == "no answer within 1 s"
    if sys.platform == "linux":
        assert tally.findings[6].startswith("MemoryError at planted.py:18")
    assert tally.findings[7].startswith("os.system")
    assert (kept / "planted-1-3" / "a").read_bytes() == b"2"
    assert campaign.figures(tally).split()[:5] == ["planted", "8", "2", "0", "6"]
    text = campaign.report([tally], 1, kept)
    assert "again: python tools/check.py fuzz --reader planted --seed 1 --case 4" in text


def test_a_reader_that_cannot_start_is_a_finding(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted.py").write_text("READERS = {}", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    campaign = tool("campaign")
    (tally,) = campaign.run(campaign.Settings(["planted"], table="planted"), tmp_path / "kept")
    assert tally.findings[0].startswith("its worker does not start: ")
    assert tally.findings[0].endswith("KeyError: 'planted'")
