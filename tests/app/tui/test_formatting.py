from __future__ import annotations

import pytest

from voicegraph.app.tui._formatting import (
    active_switches,
    clock,
    error_line,
    one_line,
    ppm,
    short,
)
from voicegraph.graph.errors import Problem, StateError


def test_clock_shows_hours_minutes_seconds() -> None:
    assert [clock(t) for t in (0, 59.99, 3661, 360000)] == [
        "0:00:00", "0:00:59", "1:01:01", "100:00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (0.994, "0.99"), (0.996, "1.0"), (9.94, "9.9"), (9.96, "10"), (171.4, "171"),
     (-0.42, "-0.42"), (-12.6, "-13")],
)  # fmt: skip
def test_short_number_has_about_three_digits(value: float, text: str) -> None:
    assert short(value) == text


def test_ppm_of_unknown_drift_is_text() -> None:
    assert (ppm(None), ppm(-3.21)) == ("not known yet", "-3.2 ppm")


def test_active_switches_are_named(changed) -> None:
    assert active_switches(changed()) == []
    everything = changed(
        variant="b", muted=True, push_to_talk=True, talking=False, monitor=True, skipping=True
    )
    assert active_switches(everything) == [
        "variant b", "muted", "talk key up", "monitor", "silent: paused",
    ]  # fmt: skip
    assert active_switches(changed(push_to_talk=True, talking=True)) == ["talking"]


def test_one_line_has_no_control_characters() -> None:
    assert one_line("a\x1b[2J\nb\t\x07c\u202e") == r"a\x1b[2J b \x07c\u202e"


def test_error_line_contains_message_and_fix() -> None:
    problem = Problem("no-talk-key", "there is no talk key", fix="begin it with --push-to-talk")
    assert error_line(StateError(problem)) == (
        "there is no talk key; fix: begin it with --push-to-talk"
    )
    assert error_line(RuntimeError("one\ntwo")) == "RuntimeError: one two"
