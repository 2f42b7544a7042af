from __future__ import annotations

import pytest

from voicegraph.app.tui._wording import clock, one_line, ppm, refusal, short, switched
from voicegraph.graph.errors import Problem, StateError


def test_clock() -> None:
    assert [clock(t) for t in (0, 59.99, 3661, 360000)] == [
        "0:00:00", "0:00:59", "1:01:01", "100:00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (0.994, "0.99"), (0.996, "1.0"), (9.94, "9.9"), (9.96, "10"), (171.4, "171"),
     (-0.42, "-0.42"), (-12.6, "-13")],
)  # fmt: skip
def test_three_digits_that_matter(value: float, text: str) -> None:
    assert short(value) == text


def test_drift() -> None:
    assert (ppm(None), ppm(-3.21)) == ("not known yet", "-3.2 ppm")


def test_switches(changed) -> None:
    assert switched(changed()) == []
    everything = changed(
        variant="b", muted=True, push_to_talk=True, talking=False, monitor=True, skipping=True
    )
    assert switched(everything) == [
        "variant b", "muted", "talk key up", "dry heard", "silence: resting",
    ]  # fmt: skip
    assert switched(changed(push_to_talk=True, talking=True)) == ["talking"]


def test_text_from_outside_steers_no_terminal() -> None:
    assert one_line("a\x1b[2J\nb\t\x07c\u202e") == "a [2J b c"


def test_refusal_says_what_to_type() -> None:
    problem = Problem("no-talk-key", "there is no talk key", fix="begin it with --push-to-talk")
    assert refusal(StateError(problem)) == (
        "there is no talk key; fix: begin it with --push-to-talk"
    )
    assert refusal(RuntimeError("one\ntwo")) == "RuntimeError: one two"
