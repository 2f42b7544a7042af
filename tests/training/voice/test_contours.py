"""Pitch and level."""

from __future__ import annotations

import numpy as np

from voicegraph.training.voice import augmentation, contours
from voicegraph.training.voice.workdir import COPIES, Workplace


def test_only_what_is_missing_is_made(place: Workplace) -> None:
    assert contours.jobs(place) == []
    place.contours(2).unlink()
    assert contours.jobs(place) == [(place, 2)]
    assert len(augmentation.jobs(place, 1)) == 4 * COPIES


def test_levels_are_those_of_full_scale() -> None:
    sine = np.sin(2 * np.pi * 400 * np.arange(16000) / 16000)
    found = contours.levels(sine)
    assert len(found) == 101
    np.testing.assert_allclose(found[5:-5], -3.01, atol=0.02)
    assert contours.levels(np.zeros(1600)).tolist() == [contours.FLOOR_DB] * 11
