"""Jobs in worker processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voicegraph.graph.errors import InputError, VoicegraphError
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.training.common import jobs


def test_failing_job_ends_the_run() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 2:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        jobs.run_jobs("test", work, [(1,), (2,), (3,)], 1)
    assert done == [1, 2]


@pytest.mark.slow
def test_errors_of_other_processes_keep_their_type(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        jobs.run_jobs("test", AudioReader, [(tmp_path / "a.wav",)], 2)
    assert [problem.code for problem in caught.value.problems] == ["no-such-file"]


@pytest.mark.slow
def test_killed_worker_is_reported() -> None:
    with pytest.raises(VoicegraphError, match="memory may have run out"):
        jobs.run_jobs("test", os._exit, [(1,), (2,)], 2)
