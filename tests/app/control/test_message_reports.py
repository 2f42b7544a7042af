"""Errors are reported, and do not hide each other."""

from __future__ import annotations

from concurrent.futures import Future

from voicegraph.app.control.message_reports import RateLimitedReports
from voicegraph.graph.errors import Problem, StateError


def test_flood_of_errors_is_reported_with_growing_gaps() -> None:
    said: list[tuple[float, str]] = []
    now = 0.0
    reports = RateLimitedReports(lambda text: said.append((now, text)), lambda: now)
    for step in range(2000):
        now = step / 10
        reports.report("no")
    assert [at for at, _ in said] == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert [text for _, text in said[:3]] == ["no", "no (and 9 more)", "no (and 19 more)"]
    counted = sum(1 + int(text.partition("and ")[2].partition(" ")[0] or 0) for _, text in said)
    assert counted == 1831


def test_minute_without_errors_resets_the_gap() -> None:
    said: list[float] = []
    now = 0.0
    reports = RateLimitedReports(lambda _: said.append(now), lambda: now)
    for at in (0.0, 0.5, 1.0, 62.0, 62.5, 63.0):
        now = at
        reports.report("no")
    assert said == [0.0, 1.0, 62.0, 63.0]


def test_failed_command_is_reported_a_cancelled_is_not() -> None:
    said: list[str] = []
    for error in (None, StateError(Problem("x", "not now", fix="wait")), ZeroDivisionError("oh")):
        done: Future[None] = Future()
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
        RateLimitedReports(said.append).report_failure(done)
    cancelled: Future[None] = Future()
    cancelled.cancel()
    RateLimitedReports(said.append).report_failure(cancelled)
    assert said == ["OSC: not now (wait)", "OSC: ZeroDivisionError: oh"]
