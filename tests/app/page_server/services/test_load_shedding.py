"""The share of its rates that the page server uses, by the headroom of the session."""

from __future__ import annotations

import pytest

from voicegraph.app.page_server.services.load_shedding import LoadShedding


@pytest.mark.parametrize(
    ("headroom", "share"),
    [(None, 1.0), (0.9, 1.0), (0.4, 1.0), (0.2, 0.5), (0.0, 1 / 8), (-3.0, 1 / 8)],
)
def test_share_falls_with_the_headroom(headroom: float | None, share: float) -> None:
    shedding = LoadShedding()
    shedding.follow(-1.0)  # what was before does not matter
    shedding.follow(headroom)
    assert shedding.share == share
