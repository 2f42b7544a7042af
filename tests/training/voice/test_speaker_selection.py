"""Selection of the main speaker."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.training.voice import _speaker_selection as speaker_selection
from voicegraph.training.voice._speaker_selection import main_speaker, rejection


@pytest.fixture(autouse=True)
def _nothing_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_selection, "mean_speaker_vector", lambda: np.zeros(256))


def _utterance(speaker: int, windows: int, seed: int) -> np.ndarray:
    """Embeddings around an axis."""
    found = 0.03 * np.random.default_rng(seed).standard_normal((windows, 256))
    found[:, speaker] += 1
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_main_speaker_has_most_seconds() -> None:
    few = [_utterance(1, 9, n) for n in range(3)]
    many = [_utterance(2, 3, n) for n in range(7)]
    speaker = main_speaker([*few, *many], [9.0] * 3 + [5.0] * 7)
    assert speaker.centroid.argmax() == 2
    assert speaker.share == pytest.approx(35 / 62)
    assert [rejection(one, speaker)[0] for one in (few[0], many[0])] == ["another speaker", ""]


def test_single_utterance_is_enough() -> None:
    speaker = main_speaker([_utterance(1, 4, 1)], [4.0])
    assert speaker.share == 1
    assert rejection(_utterance(1, 2, 5), speaker) == ("", "")


def test_part_of_another_speaker_is_found() -> None:
    speaker = main_speaker([_utterance(1, 8, n) for n in range(5)], [8.0] * 5)
    mixed = np.concatenate((_utterance(1, 6, 9), _utterance(2, 3, 9)))
    reason, detail = rejection(mixed, speaker)
    assert reason == "several speakers"
    assert "at least" in detail
