"""Work over processes."""

from __future__ import annotations

import pytest

from voicegraph.voices import jobs


def test_a_job_that_fails_ends_the_step() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 2:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        jobs.run("test", work, [(1,), (2,), (3,)], 1)
    assert done == [1, 2]
