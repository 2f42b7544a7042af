"""Changes during a soak test: when they are due, and what they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from voicegraph.app.diagnostics._soak_changes import SoakSchedule
from voicegraph.graph.errors import Problem, StateError
from voicegraph.schemas.live_status import LiveParam

PARAMS = [
    LiveParam(name="pitch.transpose", value=24.0, minimum=-24, maximum=24),
    LiveParam(name="gain.db", value=-6.0),
    LiveParam(name="synth.speaker", value=0, minimum=0),
    LiveParam(name="shape.mode", value="soft", choices=["soft", "hard"]),
]


def run(schedule: SoakSchedule, seconds: int) -> tuple[list[Mapping[str, Any]], list[Any]]:
    swapped: list[Mapping[str, Any]] = []
    sets: list[Any] = []
    schedule.next_due(0.0)
    for now in range(1, seconds + 1):
        schedule.run_due(now, lambda: PARAMS, swapped.append, lambda *what: sets.append(what))
    return swapped, sets


def test_nothing_is_due_without_intervals() -> None:
    assert run(SoakSchedule(), 100) == ([], [])


def test_swaps_alternate_and_end_in_time() -> None:
    swapped, _ = run(SoakSchedule(swap_every_s=10, swaps_until_s=45), 60)
    assert swapped == [{"seed": 1}, {"seed": 0}, {"seed": 1}, {"seed": 0}]


def test_numbers_move_within_their_range_and_back() -> None:
    schedule = SoakSchedule(set_every_s=1)
    _, sets = run(schedule, 4)
    assert [name for name, _ in sets] == ["pitch.transpose", "gain.db"] * 2
    assert sets[0][1] == sets[2][1] == pytest.approx(24 - 0.96)  # not beyond the range
    assert [value for _, value in sets[1::2]] == pytest.approx([-5.88, -6.12])
    assert schedule.params_set == 4


def test_refusals_are_counted_and_no_error() -> None:
    def refuse(*_: Any) -> None:
        raise StateError(Problem("busy", "another swap is in progress"))

    schedule = SoakSchedule(swap_every_s=1, set_every_s=1)
    schedule.next_due(0.0)
    schedule.run_due(1.0, lambda: PARAMS, refuse, refuse)
    assert (schedule.swaps_begun, schedule.swaps_refused, schedule.params_set) == (0, 1, 0)
