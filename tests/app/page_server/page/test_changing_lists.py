"""What a person does goes on when lists change under it: players, focus, scroll position."""

from __future__ import annotations

from datetime import timedelta

from ....chromium import Page
from .fake_app import FakeApp
from .fake_state import BEGUN, job, problem
from .visits import click, shows, visit

REFRESH = "document.querySelector('#tab-{0}').click()"
PLAYS = "Number(document.querySelector('.old .player input[type=range]').value)"


def _mark_row(page: Page, place: str) -> None:
    """Gives the row a class, which a row that is made anew would not have."""
    page.evaluate(f"document.querySelector('{place} .item').classList.add('old')")


def test_take_plays_on_when_others_come_and_go(page: Page, fake: FakeApp) -> None:
    (take,) = fake.state.takes
    newer = take.model_copy(update={"name": "later", "started": BEGUN + timedelta(hours=1)})
    fake.state.takes = [take.model_copy(update={"seconds": 60.0})]
    visit(page, fake, "record", voice="heart")
    page.wait("document.querySelector('#takes .play') !== null")
    _mark_row(page, "#takes")
    click(page, "#takes .play")
    page.wait(f"{PLAYS} > 0.1")
    fake.state.takes = [*fake.state.takes, newer]
    page.evaluate(REFRESH.format("record"))
    page.wait("document.querySelectorAll('#takes .item').length === 2")
    fake.state.takes = fake.state.takes[:1]
    page.evaluate(REFRESH.format("record"))
    page.wait("document.querySelectorAll('#takes .item').length === 1")
    assert page.evaluate("document.querySelector('.old .play').ariaLabel.startsWith('Pause')")


def test_focus_stays_in_its_row_and_passes_on_when_the_row_goes(page: Page, fake: FakeApp) -> None:
    fake.state.jobs = [job(0, "heart", ["a.wav"], "wav"), job(1, "heart", ["b.wav"], "wav")]
    visit(page, fake, "files")
    page.wait("document.querySelectorAll('#jobs .item').length === 2")
    ends = "[...document.querySelectorAll('#jobs .end')]"
    page.evaluate(f"{ends}[1].focus()")
    gone = page.evaluate("document.querySelector('#jobs .item').dataset.job")
    fake.state.jobs = [each for each in fake.state.jobs if each.id != gone]
    page.evaluate(REFRESH.format("files"))
    page.wait("document.querySelectorAll('#jobs .item').length === 1")
    assert page.evaluate(f"document.activeElement === {ends}[0]")
    fake.state.jobs = []
    page.evaluate(REFRESH.format("files"))
    shows(page, "#jobs", "No conversions yet")
    assert page.evaluate("document.activeElement.id") == "panel-files"


def test_list_stays_when_an_answer_fails(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "record", voice="heart")
    page.wait("document.querySelector('#takes .play') !== null")
    _mark_row(page, "#takes")
    fake.state.refuse["GET /api/takes"] = (500, problem("The disk does not answer."))
    page.evaluate(REFRESH.format("record"))
    shows(page, "#takes", "The disk does not answer.")
    assert page.evaluate("document.querySelector('.old .player') !== null")
    fake.state.refuse.clear()
    click(page, "#takes [role=alert] button")
    page.wait("!document.querySelector('#takes').textContent.includes('does not answer')")
    page.errors.clear()  # the browser notes the refused request


def test_focus_and_scroll_stay_in_the_panel_of_a_node(page: Page, fake: FakeApp) -> None:
    page.look(360)  # the drawing is wider than the screen
    visit(page, fake, "graph", voice="heart")
    page.wait("document.querySelector('#node-f0') !== null")
    page.evaluate("document.querySelector('#node-f0').dispatchEvent(new MouseEvent('click'))")
    shows(page, "#node-title", "f0")
    field = "document.querySelector('[data-path=\"nodes.f0.params.transpose\"] input[type=number]')"
    page.wait(f"{field} !== null")
    page.evaluate(f"window.place = document.querySelector('#graph'); {field}.focus()")
    page.evaluate("place.scrollLeft = 80")
    page.evaluate("import('./store.js').then((store) => store.emit('graph'))")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate(f"document.activeElement === {field}")
    assert page.evaluate("place.scrollLeft") == 80
