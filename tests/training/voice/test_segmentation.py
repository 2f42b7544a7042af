"""Segmentation of speech at pauses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.training.voice._segmentation import LONGEST_S, STEP_S, Span, runs, utterances


def _speech(*parts: tuple[float, float]) -> np.ndarray:
    """Probabilities for so many seconds each."""
    return np.concatenate([np.full(round(s / STEP_S), p) for s, p in parts])


def _cut(speech: np.ndarray, level: np.ndarray | None = None) -> list[Span]:
    return utterances(speech, speech if level is None else level)


def test_runs_have_hysteresis() -> None:
    assert runs(np.array([0.4] * 10)) == []
    found = runs(np.array([0.1, 0.6, 0.4, 0.4, 0.4, 0.3, 0.6, 0.1]))
    assert found == [Span(STEP_S, 5 * STEP_S)]  # the last is too short


def test_short_pauses_stay_inside_utterances() -> None:
    found = _cut(_speech((1, 0), (2, 1), (0.4, 0), (2, 1), (1, 0), (2, 1), (1, 0)))
    assert [time for span in found for time in (span.start, span.end)] == pytest.approx(
        [0.8, 5.6, 6.2, 8.6], abs=0.1
    )


def test_long_runs_are_cut_at_quiet_points() -> None:
    speech = _speech((20, 1))
    level = np.ones(len(speech))
    level[round(9 / STEP_S)] = 0.1
    found = _cut(speech, level)
    assert found[0].end == pytest.approx(9, abs=0.05)
    assert found[1].start == found[0].end


@given(st.lists(st.tuples(st.floats(0.1, 15), st.sampled_from([0.0, 0.4, 1.0])), max_size=8))
def test_utterances_are_ordered_and_bounded(parts: list[tuple[float, float]]) -> None:
    speech = _speech((0.1, 0), *parts)
    found = _cut(speech)
    assert all(span.seconds <= LONGEST_S + STEP_S for span in found)
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(found))
    assert all(0 <= s.start < s.end <= len(speech) * STEP_S + 1e-9 for s in found)
    covered = sum(s.seconds for s in runs(speech))
    assert sum(s.seconds for s in found) >= covered - 1e-6
