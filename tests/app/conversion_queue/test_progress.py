"""Progress and time left."""

from __future__ import annotations

import pytest

from voicegraph.app.conversion_queue.progress import JobProgress


def test_share_counts_seconds_and_time_left_follows_the_speed() -> None:
    now = [0.0]
    progress = JobProgress([10, 1000], lambda: now[0])
    assert (progress.share, progress.left_s) == (0.0, None)
    progress.set_lengths([30.0, 10.0])
    progress.set_done(0, 0.0, 30.0)
    now[0] = 0.5
    progress.set_done(0, 10.0, 30.0)
    assert progress.left_s is None
    now[0] = 5.0
    assert progress.share == pytest.approx(0.25)
    assert progress.left_s == pytest.approx(15.0)
    progress.finish(0)
    progress.finish(1)
    assert (progress.share, progress.left_s) == (1.0, 0.0)


def test_files_without_a_length_count_by_their_size() -> None:
    progress = JobProgress([300, 100], lambda: 0.0)
    progress.set_lengths([30.0, None])
    progress.set_done(1, 5.0, None)
    assert progress.share == 0.0
    progress.finish(1)
    assert progress.share == pytest.approx(0.25)
