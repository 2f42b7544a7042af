"""Work over processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voicegraph.graph.errors import InputError, VoicegraphError
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.training.common import jobs


def test_a_job_that_fails_ends_the_step() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 2:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        jobs.run("test", work, [(1,), (2,), (3,)], 1)
    assert done == [1, 2]


@pytest.mark.slow
def test_errors_come_from_other_processes_as_they_were(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        jobs.run("test", AudioReader, [(tmp_path / "a.wav",)], 2)
    assert [problem.code for problem in caught.value.problems] == ["no-such-file"]


@pytest.mark.slow
def test_a_process_that_ends_is_told_of() -> None:
    with pytest.raises(VoicegraphError, match="memory may have run out"):
        jobs.run("test", os._exit, [(1,), (2,)], 2)


def test_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 10.0, 31.0, 31.0])
    monkeypatch.setattr(jobs.time, "monotonic", lambda: next(now))
    with jobs.bar("train", 100, 40) as tell:
        tell("early", 41)
        tell("step 7", 50)
    assert capsys.readouterr().err == "train: 50%, 3 min left, step 7\n"
