from __future__ import annotations

from voicegraph.app.tui._text_lines import apart, length, over, plain, spread


def test_over_keeps_what_has_a_colour_behind_it() -> None:
    assert over([("a", ""), ("b", "bold bad"), ("c", "good on track")], "chosen") == [
        ("a", " on chosen"),
        ("b", "bold bad on chosen"),
        ("c", "good on track"),
    ]


def test_apart_fills_the_line() -> None:
    assert plain(apart([("ab", "")], [("cd", "")], 10)) == "ab      cd"
    assert plain(apart([("ab", "")], [], 4)) == "ab  "
    assert plain(apart([("ab", "")], [("cd", "")], 3)) == "ab  cd"


def test_spread_takes_the_room_there_is() -> None:
    parts = [[("ab", "")], [("cd", "")], [("ef", "")]]
    assert [length(spread(parts, width)) for width in (6, 8, 10, 50)] == [8, 8, 10, 12]
