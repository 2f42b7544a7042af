"""Jobs that write files, in worker processes."""

from __future__ import annotations

import operator
import os
import shutil
from pathlib import Path

import pytest

from voicegraph.graph.errors import VoicegraphError
from voicegraph.training.common import jobs


def test_failing_job_does_not_keep_the_others_from_being_done() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 2:
            raise ValueError("no")

    with pytest.raises(VoicegraphError, match=r"test: 1 of 3 failed: 2: ValueError: no") as caught:
        jobs.run_jobs("test", work, [(1,), (2,), (3,)], 1)
    assert done == [1, 2, 3]
    assert caught.value.problems[0].fix == "the same command does what is missing"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_worker_fails_its_job_alone(tmp_path: Path) -> None:
    sources = [tmp_path / "a", tmp_path / "b"]
    for path in sources:
        path.touch()
    copies = [(shutil.copy, path, tmp_path / f"copy-{path.name}") for path in sources]
    with pytest.raises(VoicegraphError, match=r"1 of 3 failed.* its process ended .*, twice"):
        jobs.run_jobs("test", operator.call, [copies[0], (os.abort,), copies[1]], 2)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "copy-a", "copy-b"}
