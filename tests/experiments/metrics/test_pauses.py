"""Pauses of outputs."""

from __future__ import annotations

import numpy as np
import pytest

from .heard import heard, values

LEVEL, F0 = "contour.level", "f0.swift"
SPEAKS = np.arange(600) % 200 < 100


def _side(pause_db: float) -> dict[str, dict[str, np.ndarray]]:
    level = np.where(SPEAKS, -20.0, pause_db)
    return {LEVEL: {"level": level}, F0: {"f0": np.where(SPEAKS, 100.0, 0.0)}}


def test_levels_are_relative_to_speech() -> None:
    found = values("pauses", None, heard(_side(-50), _side(-80)))
    assert found["pauses.level"].value == pytest.approx(-30, abs=1e-6)
    assert found["pauses.bursts"].value == pytest.approx(-30, abs=1e-6)


def test_speech_that_was_not_converted_has_its_own_pauses() -> None:
    found = values("pauses", None, heard(_side(-60)))
    assert found["pauses.later"].value == pytest.approx(-40, abs=1e-6)


def test_a_source_without_pauses_gives_a_reason() -> None:
    flat = {LEVEL: {"level": np.full(100, -20.0)}, F0: {"f0": np.full(100, 100.0)}}
    found = values("pauses", None, heard(flat, flat))
    assert found["pauses.level"] == (None, "the source has less than 0.15 s of pauses")
