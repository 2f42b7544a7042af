"""Progress without a terminal."""

from __future__ import annotations

import pytest

from voicegraph.training.common import progress


def test_prints_lines_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 10.0, 31.0, 31.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with progress.progress_bar("train", 100, 40) as tell:
        tell("early", 41)
        tell("step 7", 50)
    assert capsys.readouterr().err == "train: 50%, 3 min left, step 7\n"
