"""Rooms: how long they ring, and how much of them is heard."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from voicegraph.experiments import conditions
from voicegraph.experiments.conditions.room import RoomShape, impulse_response

RATE = 16000


def _response(**shape: object) -> np.ndarray:
    random = np.random.Generator(np.random.Philox(key=5))
    return impulse_response(RoomShape.model_validate(shape), RATE, random)


@pytest.mark.parametrize("t60", ["200ms", "400ms", "1.2s"])
def test_reverberation_time_is_that_of_the_decay(t60: str) -> None:
    """Backward integration: M. R. Schroeder, JASA 37, 1965."""
    tail = _response(t60=t60, distance="2m")[1:]
    decay = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1] / np.sum(tail**2))
    fall = np.flatnonzero(decay < -5)[0], np.flatnonzero(decay < -35)[0]
    wanted = float(RoomShape.model_validate({"t60": t60}).t60)
    assert 2 * (fall[1] - fall[0]) / RATE == pytest.approx(wanted, rel=0.1)


def test_at_the_critical_distance_both_fields_are_equal() -> None:
    critical = 0.057 * np.sqrt(60 / 0.4)
    for distance, ratio_db in ((critical, 0.0), (2 * critical, -6.02)):
        made = _response(t60="400ms", distance=distance)
        found = 10 * np.log10(made[0] ** 2 / np.sum(made[1:] ** 2))
        assert found == pytest.approx(ratio_db, abs=0.01)


def test_level_stays_and_the_direct_sound_is_not_late() -> None:
    clip = np.zeros(RATE, np.float32)
    clip[1000] = 1.0
    name, params = conditions.ask({"room": {"t60": "300ms", "distance": "50cm"}})
    made, _ = conditions.apply(name, params, clip, RATE, 1, "c")
    assert np.abs(made).argmax() == 1000
    assert not np.abs(made[:1000]).max() > 1e-6  # rounding of the transform
    assert np.sum(made**2) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize(
    "room", [{"t60": "400"}, {"t60": "10s"}, {"t60": "400ms", "distance": "2 feet"}, {}]
)
def test_wrong_rooms_are_refused(room: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        conditions.ask({"room": room})
