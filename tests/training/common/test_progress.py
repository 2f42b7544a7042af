"""Progress without a terminal."""

from __future__ import annotations

import pytest

from voicegraph.graph import rate_limit
from voicegraph.training.common import progress


def test_prints_lines_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    for module in (progress.time, rate_limit):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    with progress.progress_bar("train", 100, 40) as tell:
        now = 10.0
        tell("early", 41)
        now = 31.0
        tell("step 7", 50)
    assert capsys.readouterr().err == "train: 50%, 3 min left, step 7\n"
