"""The page in Firefox: every tab is opened, a session is started, a node and a player are used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ....firefox import FirefoxPage, firefox
from .fake_app import FakeApp
from .visits import until

TABS = ("health", "record", "files", "graph", "experiments", "talk")


@pytest.fixture
def page() -> Iterator[FirefoxPage]:
    with firefox() as opened:
        yield opened


def test_walk_through_all_tabs_in_firefox(page: FirefoxPage, fake: FakeApp) -> None:
    page.look(1280)
    page.open(fake.url)
    page.wait("document.querySelectorAll('.control').length === 3")
    page.wait("!document.querySelector('#start').disabled")
    page.evaluate("document.querySelector('#voice-michael').click()")
    page.evaluate("document.querySelector('#start').click()")
    until(lambda: fake.state.started)
    assert fake.state.started[0].voice == "michael"
    page.wait("document.querySelector('#state').textContent.includes('You speak as Michael')")
    for tab in TABS:
        page.evaluate(f"document.querySelector('#tab-{tab}').click()")
        page.wait(f"!document.querySelector('#panel-{tab}').hidden")
        for width in (1280, 500):
            page.look(width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.look(1280)
        if tab == "health":
            page.wait("/\\d+ Hz/.test(document.querySelector('#pitch-words').textContent)")
        if tab == "record":
            page.wait("document.querySelector('.player .play') !== null")
            page.evaluate("document.querySelector('.player .play').click()")
            # A machine that builds has no loudspeaker, which the player says after a while.
            page.wait(
                "Number(document.querySelector('.player input').value) > 0.1 || "
                "document.querySelector('.player .problem').textContent.includes('no loudspeaker')"
            )
        if tab == "graph":
            page.wait(
                "document.querySelector('.badge[data-node=f0] text').textContent === '1.2 ms'"
            )
    assert page.errors == []
