"""Greedy CTC decoding."""

from __future__ import annotations

import numpy as np

from voicegraph.graph.metrics.ctc import collapse


def test_runs_are_merged_and_blanks_removed() -> None:
    assert collapse(np.array([9, 9, 1, 1, 9, 1, 2, 2, 9]), 9).tolist() == [1, 1, 2]
    assert collapse(np.array([9, 9]), 9).tolist() == []
