from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.tui._bars import bar
from voicegraph.app.tui._text_lines import Line, length, plain

part = st.floats(allow_nan=True, allow_infinity=True)


@given(st.integers(1, 40), part, part, st.none() | part)
def test_a_bar_is_as_wide_as_it_should_be(
    width: int, near: float, far: float, mark: float | None
) -> None:
    assert length(bar(width, near, far, lambda _: "good", mark)) == width


@given(st.integers(1, 40), st.floats(0, 1), st.floats(0, 1))
def test_it_is_full_up_to_its_value(width: int, one: float, other: float) -> None:
    """To an eighth of a column: what is bright, and where the dark behind it ends."""
    near, far = sorted((one, other))
    line = bar(width, near, far, lambda _: "good")
    bright, dark = _columns(line, "good"), _columns(line, "good-far")
    assert bright == pytest.approx(near * width, abs=1 / 16 + 1e-9)
    # Where both end in one column, its rest is not seen, or all of it is dark.
    assert bright + dark == pytest.approx(far * width, abs=1)


def _columns(line: Line, colour: str) -> float:
    """How much of it has a colour, in columns."""
    found = 0.0
    for text, tone in line:
        front, _, behind = tone.rpartition("on ")
        for char in text:
            part = " ▏▎▍▌▋▊▉".index(char) / 8
            found += part if front.strip() == colour else 0
            found += 1 - part if behind == colour else 0
    return found


def test_two_values_in_two_brightnesses() -> None:
    assert bar(4, 0.5, 0.75, lambda _: "good") == [
        ("  ", "on good"),
        (" ", "on good-far"),
        (" ", "on track"),
    ]
    assert bar(2, 0.25, 1.0, lambda _: "good")[0] == ("▌", "good on good-far")


def test_colours_go_with_the_place_and_not_with_the_value() -> None:
    line = bar(4, 1.0, 1.0, lambda place: "good" if place < 0.5 else "bad")
    assert line == [("  ", "on good"), ("  ", "on bad")]


def test_a_mark_stands_before_the_track_and_not_on_the_bar() -> None:
    assert bar(4, 0.25, 0.5, lambda _: "good", 0.9)[-1] == ("│", "good on track")
    assert bar(4, 0.25, 0.5, lambda _: "good", 0.4)[1] == ("│", "good on good-far")
    assert "│" not in plain(bar(4, 0.25, 0.5, lambda _: "good", 0.0))
