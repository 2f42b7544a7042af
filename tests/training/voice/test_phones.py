"""Phones, and how far two rows of them are apart."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.training.voice._phones import error_rate, phones


@pytest.mark.parametrize(
    ("found", "wanted", "edits"),
    [
        ("abc", "abc", 0),
        ("", "abc", 3),
        ("abxc", "abc", 1),
        ("ac", "abc", 1),
        ("kitten", "sitting", 3),
    ],
)
def test_edits(found: str, wanted: str, edits: int) -> None:
    assert error_rate(list(found), list(wanted)) == edits / len(wanted)


@given(st.text("ab", max_size=8), st.text("ab", min_size=1, max_size=8))
def test_edits_are_the_fewest(found: str, wanted: str) -> None:
    def fewest(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        same = fewest(a[1:], b[1:]) + (a[0] != b[0])
        return min(same, fewest(a[1:], b) + 1, fewest(a, b[1:]) + 1) if a[0] != b[0] else same

    assert error_rate(list(found), list(wanted)) * len(wanted) == pytest.approx(
        fewest(found, wanted)
    )


def test_the_recording_that_comes_along() -> None:
    audio, _ = soundfile.read(bundled_recording.path(), dtype="float32")
    said = phones(audio)
    assert 60 < len(said) < 140
    assert not any(phone.startswith("<") for phone in said)
    noisy = audio + 0.001 * np.random.default_rng(1).standard_normal(len(audio)).astype(np.float32)
    assert error_rate(phones(noisy), said) < 0.2
