"""The journal: lines that survive a kill, and what they say of earlier runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.engines.journal import Journal, known_failures
from voicegraph.experiments.task import Failure, Outcome
from voicegraph.graph.errors import OutputError

from ._works import key_of, task

A, B = task("a", None), task("b", None)
WHY = Failure("late", "not done", node="f0", second=1.5, fix="more")


def _write(path: Path, *ends: tuple[object, Failure | None]) -> None:
    journal = Journal(path)
    for one, failure in ends:
        journal.ended(one, Outcome(one.key, failure))  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    journal.close()
    journal.close()


def test_failures_are_known_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert known_failures(path) == {}
    _write(path, (A, WHY), (B, None))
    assert known_failures(path) == {A.key: WHY}
    _write(path, (A, None), (B, WHY))
    assert known_failures(path) == {B.key: WHY}


def test_a_torn_line_is_left_out_and_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    _write(path, (A, WHY))
    with path.open("a") as file:
        file.write('{"event": "failed", "key": "' + key_of("c"))
    _write(path, (B, WHY))
    assert known_failures(path) == {A.key: WHY, B.key: WHY}
    with path.open("ab") as file:
        file.write(b'[1]\n{"event": "failed"}\n\xff\n')
    assert known_failures(path).keys() == {A.key, B.key}


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OutputError, match="folder"):
        Journal(tmp_path / "folder" / "journal.jsonl")
