from __future__ import annotations

import pytest

from voicegraph.app.tui._param_rows import param_rows
from voicegraph.app.tui._text_lines import length, plain


def _row(status, name: str, wanted=None, width: int = 60) -> str:
    return plain(dict(param_rows(status.params, wanted or {}, width))[name])


def test_a_slider_stands_where_the_value_is(status) -> None:
    def place(value: float) -> float:
        row = _row(status, "pitch.transpose", {"pitch.transpose": value})
        slider = [char for char in row if char in "━●─"]
        return slider.index("●") / (len(slider) - 1)

    assert place(-24) == 0
    assert place(24) == 1
    assert place(0) == pytest.approx(0.5, abs=0.05)
    assert place(99) == 1


def test_without_a_range_there_is_no_slider(status) -> None:
    assert _row(status, "synth.speaker").split() == ["synth.speaker", "0"]


def test_choices_stand_between_arrows(status) -> None:
    assert _row(status, "synth.mode").split() == ["synth.mode", "◂", "soft", "▸"]


def test_what_was_asked_for_is_shown_at_once(status) -> None:
    assert "4 st" in _row(status, "pitch.transpose")
    assert "-7.5 st" in _row(status, "pitch.transpose", {"pitch.transpose": -7.5})


@pytest.mark.parametrize("width", [40, 80])
def test_rows_are_as_wide_as_the_list(status, width: int) -> None:
    assert {length(row) for _, row in param_rows(status.params, {}, width)} == {width}
