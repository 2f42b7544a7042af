"""What a run of an experiment prints while it computes."""

from __future__ import annotations

import pytest

from voicegraph.app.cli._task_progress import TaskDisplay
from voicegraph.experiments.engines.engine import Note


def test_warning_and_its_fix_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    TaskDisplay().say("warning: a\x1b[2J\n  fix: b")
    assert capsys.readouterr().err.splitlines() == ["warning: a\\x1b[2J", "  fix: b"]


def test_note_names_its_machine(capsys: pytest.CaptureFixture[str]) -> None:
    TaskDisplay().noted(Note("node-lost", "it has not answered", "b (10.0.0.2)", "ray start\nor"))
    assert capsys.readouterr().err.splitlines() == [
        "note: b (10.0.0.2): it has not answered",
        "  fix: ray start",
        "       or",
    ]
