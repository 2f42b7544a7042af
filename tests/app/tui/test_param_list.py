from __future__ import annotations

import pytest

from voicegraph.app.tui._param_list import param_rows
from voicegraph.app.tui._text_lines import length

from .plain_text import plain


def _row(status, name: str, pending=None, width: int = 60) -> str:
    return plain(dict(param_rows(status.params, pending or {}, width))[name])


def test_slider_position_is_the_value_within_its_range(status) -> None:
    def place(value: float) -> float:
        row = _row(status, "pitch.transpose", {"pitch.transpose": value})
        slider = [char for char in row if char in "━●─"]
        return slider.index("●") / (len(slider) - 1)

    assert place(-24) == 0
    assert place(24) == 1
    assert place(0) == pytest.approx(0.5, abs=0.05)
    assert place(99) == 1


def test_param_without_range_has_no_slider(status) -> None:
    assert _row(status, "synth.speaker").split() == ["synth.speaker", "0"]


def test_choice_is_shown_between_arrows(status) -> None:
    assert _row(status, "synth.mode").split() == ["synth.mode", "◂", "soft", "▸"]


def test_pending_value_is_shown_at_once(status) -> None:
    assert "4 st" in _row(status, "pitch.transpose")
    assert "-7.5 st" in _row(status, "pitch.transpose", {"pitch.transpose": -7.5})


@pytest.mark.parametrize("width", [40, 80])
def test_param_rows_fill_the_width(status, width: int) -> None:
    assert {length(row) for _, row in param_rows(status.params, {}, width)} == {width}
