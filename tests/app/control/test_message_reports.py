"""Failures are told, and do not bury each other."""

from __future__ import annotations

from concurrent.futures import Future

from voicegraph.app.control.message_reports import Reports
from voicegraph.graph.errors import Problem, StateError


def test_a_flood_is_told_ever_more_seldom() -> None:
    said: list[tuple[float, str]] = []
    now = 0.0
    reports = Reports(lambda text: said.append((now, text)), lambda: now)
    for step in range(2000):
        now = step / 10
        reports.tell("no")
    assert [at for at, _ in said] == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert [text for _, text in said[:3]] == ["no", "no (and 9 more)", "no (and 19 more)"]
    told = sum(1 + int(text.partition("and ")[2].partition(" ")[0] or 0) for _, text in said)
    assert told == 1831


def test_after_a_minute_of_peace_it_begins_anew() -> None:
    said: list[float] = []
    now = 0.0
    reports = Reports(lambda _: said.append(now), lambda: now)
    for at in (0.0, 0.5, 1.0, 62.0, 62.5, 63.0):
        now = at
        reports.tell("no")
    assert said == [0.0, 1.0, 62.0, 63.0]


def test_how_a_command_ended() -> None:
    said: list[str] = []
    for error in (None, StateError(Problem("x", "not now", fix="wait")), ZeroDivisionError("oh")):
        done: Future[None] = Future()
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
        Reports(said.append).outcome(done)
    given_up: Future[None] = Future()
    given_up.cancel()
    Reports(said.append).outcome(given_up)
    assert said == ["OSC: not now (wait)", "OSC: ZeroDivisionError: oh"]
