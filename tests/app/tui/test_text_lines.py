from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.tui._text_lines import (
    Line,
    bar,
    distribute,
    justify,
    length,
    with_background,
)

from .plain_text import plain

part = st.floats(allow_nan=True, allow_infinity=True)


def test_background_is_kept_where_it_is_set() -> None:
    line = [("a", ""), ("b", "bold bad"), ("c", "good on track")]
    assert with_background(line, "selected") == [
        ("a", " on selected"),
        ("b", "bold bad on selected"),
        ("c", "good on track"),
    ]


def test_justified_line_fills_the_width() -> None:
    assert plain(justify([("ab", "")], [("cd", "")], 10)) == "ab      cd"
    assert plain(justify([("ab", "")], [], 4)) == "ab  "
    assert plain(justify([("ab", "")], [("cd", "")], 3)) == "ab  cd"


def test_distributed_parts_have_gaps_up_to_three_columns() -> None:
    parts = [[("ab", "")], [("cd", "")], [("ef", "")]]
    assert [length(distribute(parts, width)) for width in (6, 8, 10, 50)] == [8, 8, 10, 12]


@given(st.integers(1, 40), part, part, st.none() | part)
def test_bar_has_its_width_for_any_value(
    width: int, bright: float, dark: float, marker: float | None
) -> None:
    assert length(bar(width, bright, dark, lambda _: "good", marker)) == width


@given(st.integers(1, 40), st.floats(0, 1), st.floats(0, 1))
def test_bar_length_is_exact_to_an_eighth_column(width: int, one: float, other: float) -> None:
    bright, dark = sorted((one, other))
    line = bar(width, bright, dark, lambda _: "good")
    found, found_dark = _columns(line, "good"), _columns(line, "good-dark")
    assert found == pytest.approx(bright * width, abs=1 / 16 + 1e-9)
    # Where both values end in one column, only two of the three colours can be shown.
    assert found + found_dark == pytest.approx(dark * width, abs=1)


def _columns(line: Line, colour: str) -> float:
    """How many columns of a line have a colour."""
    found = 0.0
    for text, tone in line:
        front, _, behind = tone.rpartition("on ")
        for char in text:
            part = " ▏▎▍▌▋▊▉".index(char) / 8
            found += part if front.strip() == colour else 0
            found += 1 - part if behind == colour else 0
    return found


def test_bar_shows_the_second_value_darker() -> None:
    assert bar(4, 0.5, 0.75, lambda _: "good") == [
        ("  ", "on good"),
        (" ", "on good-dark"),
        (" ", "on track"),
    ]
    assert bar(2, 0.25, 1.0, lambda _: "good")[0] == ("▌", "good on good-dark")


def test_bar_colour_depends_on_the_position() -> None:
    line = bar(4, 1.0, 1.0, lambda position: "good" if position < 0.5 else "bad")
    assert line == [("  ", "on good"), ("  ", "on bad")]


def test_marker_is_hidden_by_the_bright_bar() -> None:
    assert bar(4, 0.25, 0.5, lambda _: "good", 0.9)[-1] == ("│", "good on track")
    assert bar(4, 0.25, 0.5, lambda _: "good", 0.4)[1] == ("│", "good on good-dark")
    assert "│" not in plain(bar(4, 0.25, 0.5, lambda _: "good", 0.0))
