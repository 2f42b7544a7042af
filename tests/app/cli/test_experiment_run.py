"""``voicegraph experiment run``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.app.cli import _task_progress
from voicegraph.app.cli._task_progress import duration_text
from voicegraph.experiments.driver import requirements
from voicegraph.graph import registry

from .conftest import Cli

EXPERIMENT = """\
version: 1
pipeline: good.yaml
clips: {files: clips, speaker: "{stem}"}
factors:
  gain: {swap: low, levels: {good: dsp.gain, LEVEL}}
metrics: [level]
store: null
"""
BAD = """\
from voicegraph.graph import register
from voicegraph.nodes.dsp.gain import Gain

@register("my.gain")
class Mine(Gain):
    def process(self, *given, **named):
        raise ValueError("no gain today")
"""


@pytest.fixture
def lab(place: Path) -> Iterator[Path]:
    """Two clips, an experiment that works, and one with a bad node."""
    (place / "clips").mkdir()
    noise = np.random.default_rng(1)
    for name in ("anna", "ben"):
        sound = 0.1 * noise.standard_normal(4000)
        soundfile.write(place / "clips" / f"{name}.wav", sound, 16000)
    (place / "my.py").write_text(BAD)
    (place / "fine.yaml").write_text(
        EXPERIMENT.replace("LEVEL", "low: {use: dsp.gain, params: {db: -12}}")
    )
    mine = EXPERIMENT.replace("LEVEL", "mine: my.gain") + "nodes: [my.py]\n"
    (place / "wrong.yaml").write_text(mine)
    with registry.isolated():
        yield place


def test_it_computes_writes_and_goes_on(cli: Cli, lab: Path) -> None:
    run = ("experiment", "run", "fine.yaml", "--workers", "1", "--format", "csv")
    code, out, _ = cli(*run)
    assert code == 0
    assert "0 were there" in out
    assert f"wrote {Path('results') / 'fine' / 'report.html'}" in out
    assert (lab / "results" / "fine" / "values.csv").is_file()
    code, out, _ = cli(*run, "--json")
    report = json.loads(out)
    assert (code, report["computed"], report["exit_code"]) == (0, 0, 0)
    assert report["stored"] == report["total"] > 0


def test_what_fails_is_named_once_with_its_node_and_clip(cli: Cli, lab: Path) -> None:
    run = ("experiment", "run", "wrong.yaml", "--workers", "1", "--format", "csv", "--out", "w")
    code, out, err = cli(*run)
    assert code == 8
    assert " and 1 more: node low (my.gain) failed: ValueError: no gain today" in err
    assert err.count("failed: gain=mine: anna: ") + err.count("failed: gain=mine: ben: ") == 1
    assert "(node-failed, node low" in err
    assert "2 failed, 2 not tried" in out
    code, out, _ = cli(*run, "--json")
    report = json.loads(out)
    assert code == report["exit_code"] == 8
    assert {one["node"] for one in report["failed"]} == {"low"}


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("missing.yaml",), 2, "missing.yaml"),
        (("fine.yaml", "--only", "gain"), 2, "expected factor=level"),
        (("fine.yaml", "--workers", "0"), 2, "workers"),
        (("fine.yaml", "--verify", "2"), 2, "verify"),
        (("fine.yaml", "--out", "good.yaml"), 4, "good.yaml"),
    ],
)
def test_mistakes_are_named(
    cli: Cli, lab: Path, arguments: tuple[str, ...], code: int, text: str
) -> None:
    found, _, err = cli("experiment", "run", *arguments, "--format", "csv")
    assert found == code
    assert text in err
    assert not (lab / "results").exists()


def test_a_cell_that_does_not_exist_is_an_error(cli: Cli, lab: Path) -> None:
    code, _, err = cli("experiment", "run", "fine.yaml", "--only", "gain=loud", "--format", "csv")
    assert code == 2
    assert "no cell has gain=loud" in err
    assert "good" in err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ["pebble", "pyarrow", "voicegraph[experiment]"]),
        (("--ray", "local"), ["ray", "voicegraph[cluster]", "voicegraph[experiment]"]),
    ],
)
def test_missing_packages_are_named_all_at_once(
    cli: Cli,
    lab: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    names: list[str],
) -> None:
    """Before anything begins; and never another engine instead."""
    monkeypatch.setattr(requirements, "is_installed", lambda module: False)
    code, _, err = cli("experiment", "run", "fine.yaml", *arguments)
    assert code == 2
    assert all(name in err for name in names)


def test_progress_is_told_in_lines(cli: Cli, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_task_progress, "_EVERY_S", 0.0)
    _, _, err = cli("experiment", "run", "wrong.yaml", "--workers", "1", "--format", "csv")
    assert "wrong: 1 of " in err
    assert err.count("no gain today") == 2, "as it happens, and at the end"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (750, "12 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_told_in_words(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
