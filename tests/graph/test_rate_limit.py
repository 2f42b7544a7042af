"""Rate limits by a clock that the test sets."""

from __future__ import annotations

import pytest

from voicegraph.graph import rate_limit
from voicegraph.graph.rate_limit import RateLimit


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(rate_limit, "monotonic", lambda: found.now)
    return found


def _passed(limit: RateLimit, clock: Clock, *times: float) -> list[float]:
    found = []
    for clock.now in times:
        if limit.passes():
            found.append(clock.now)
    return found


def test_the_first_waits_and_each_begins_the_time_anew(clock: Clock) -> None:
    assert _passed(RateLimit(5.0), clock, 104, 106, 110, 111, 120) == [106, 111, 120]


def test_the_first_may_pass_at_once(clock: Clock) -> None:
    assert _passed(RateLimit(5.0, at_once=True), clock, 100, 104, 105) == [100, 105]


def test_a_restart_begins_the_time_anew(clock: Clock) -> None:
    limit = RateLimit(5.0)
    clock.now = 104
    limit.restart()
    assert _passed(limit, clock, 108, 109) == [109]


def test_no_time_lets_everything_pass(clock: Clock) -> None:
    assert _passed(RateLimit(0.0), clock, 100, 100, 100) == [100, 100, 100]
