from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.screen.bars import bar
from voicegraph.graph.screen.lines import length, plain

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
    bright = sum(
        " ▏▎▍▌▋▊▉█".index(char) / 8
        for text, tone in line
        for char in text
        if tone.startswith("good on")
    )
    assert abs(bright - near * width) <= 1 / 16 + 1e-9
    dark = sum(
        " ▏▎▍▌▋▊▉█".index(char) / 8
        for text, tone in line
        for char in text
        if tone.startswith("good-far")
    )
    assert dark <= far * width + 1 / 16 + 1e-9


def test_two_values_in_two_brightnesses() -> None:
    assert bar(4, 0.5, 0.75, lambda _: "good") == [
        ("██", "good on track"),
        ("█ ", "good-far on track"),
    ]
    assert bar(2, 0.25, 1.0, lambda _: "good")[0] == ("▌", "good on good-far")


def test_colours_go_with_the_place_and_not_with_the_value() -> None:
    line = bar(4, 1.0, 1.0, lambda place: "good" if place < 0.5 else "bad")
    assert line == [("██", "good on track"), ("██", "bad on track")]


def test_a_mark_stands_before_the_track_and_not_on_the_bar() -> None:
    assert plain(bar(4, 0.25, 0.5, lambda _: "good", 0.9)) == "██ │"
    assert plain(bar(4, 0.25, 0.5, lambda _: "good", 0.0)) == "██  "
