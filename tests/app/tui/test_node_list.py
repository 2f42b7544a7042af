from __future__ import annotations

import pytest

from voicegraph.app.tui._node_list import node_rows, node_title
from voicegraph.app.tui._text_lines import length

from .plain_text import plain


def test_node_row_shows_cost_and_late_blocks(status) -> None:
    rows = dict(node_rows(status, 40))
    assert list(rows) == ["f0", "pitch", "synth", "limiter"]
    assert plain(rows["f0"]).split()[-3:] == ["12", "20", "2"]
    assert plain(rows["pitch"]).split()[-2:] == ["0.25", "0.50"]
    assert plain(rows["limiter"]) == " limiter bypassed: input passes through"


def test_bar_is_relative_to_the_block(status) -> None:
    bars = {name: row[2:-2] for name, row in node_rows(status, 140)}
    bright = {
        name: sum(len(text) for text, tone in line if tone == "on knob")
        for name, line in bars.items()
    }
    full = length(bars["synth"])
    assert bright["synth"] == pytest.approx(0.27 * full, abs=1)
    assert bright["f0"] == pytest.approx(0.12 * full, abs=1)


@pytest.mark.parametrize("width", [39, 60, 70, 100])
def test_rows_and_title_fill_the_width(status, width: int) -> None:
    assert {length(row) for name, row in node_rows(status, width) if name != "limiter"} == {width}
    assert length(node_title(width)) == width


def test_node_kind_is_shown_in_wide_lists(status) -> None:
    assert "f0.dio" in plain(dict(node_rows(status, 70))["f0"])
    assert "f0.dio" not in plain(dict(node_rows(status, 60))["f0"])
