"""Sessions that end, servers that go and come back, tokens, and a second page."""

from __future__ import annotations

import json

from voicegraph.schemas.app import StartSession

from ....chromium import Page
from .fake_app import FakeApp, fake_app
from .fake_state import problem
from .plan_graph import world_graph
from .visits import click, move, shows, until, visit

TOKEN = "correct-horse-battery"


def test_session_that_ends_by_a_fault_says_so_and_starts_again(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    fake.state.end(problem("The node voice failed: out of memory.", "choose a smaller voice"))
    shows(page, "#banner", "The session has ended. ")
    shows(page, "#banner", "What to do: choose a smaller voice")
    shows(page, "#start", "Start again")
    click(page, ".banner-line button")
    until(lambda: len(fake.state.started) == 2)
    page.wait("document.querySelector('#banner').hidden")


def test_devices_are_listed_again_after_a_fault(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart", input="usb")
    assert page.evaluate("document.querySelector('#device-input').options.length") == 3
    gone = fake.state.devices.inputs[:1]
    fake.state.devices = fake.state.devices.model_copy(update={"inputs": gone})
    fake.state.end(problem("The microphone is gone.", "choose another device on the tab Talk"))
    page.wait("document.querySelector('#device-input').options.length === 2")


def test_page_follows_a_session_that_another_one_starts(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    fake.state.begin(StartSession(voice="michael"))
    shows(page, "#state", "You speak as Michael")
    fake.state.values["pitch.transpose"] = 7.0
    shows(page, "[data-control=pitch] output", "+7.0 semitones")


def test_silent_session_is_not_shown_as_alive(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    fake.state.silent = True
    shows(page, "#state", "Waiting for the session")
    fake.state.silent = False
    shows(page, "#state", "You speak as Heart")


def test_lost_page_server_is_said_and_taken_up_again(page: Page) -> None:
    with fake_app(world_graph()) as first:
        visit(page, first, voice="heart")
        port = first.port
    shows(page, "#banner", "The page server does not answer")
    shows(page, "#banner", "voicegraph app")
    with fake_app(world_graph(), port=port) as second:
        second.state.begin(StartSession(voice="heart"))
        page.wait("document.querySelector('#banner').hidden")
        shows(page, "#state", "You speak as Heart")
        page.errors.clear()  # the browser notes requests that nobody answered


def test_token_is_asked_for_and_a_wrong_one_refused(page: Page) -> None:
    with fake_app(world_graph(), token=TOKEN) as fake:
        page.open(fake.url)
        page.wait("!document.querySelector('#token-form').hidden")
        for token, found in (("wrong", "This token is wrong."), (TOKEN, None)):
            move(page, "#token", token)
            click(page, "#token-form button")
            if found:
                shows(page, "#token-problem", found)
        shows(page, "#state", "Ready")
        assert page.evaluate("document.querySelector('#token-form').hidden")
        click(page, "#start")
        shows(page, "#state", "You speak as Heart")
        page.errors.clear()  # the browser notes the requests that were refused


def test_token_in_the_link_leaves_the_address(page: Page) -> None:
    with fake_app(world_graph(), token=TOKEN) as fake:
        page.open(f"{fake.url}#token={TOKEN}")
        shows(page, "#state", "Ready")
        assert TOKEN not in page.evaluate("location.href")


def test_pages_and_sounds_open_with_a_token(page: Page) -> None:
    with fake_app(world_graph(), token=TOKEN) as fake:
        fake.state.begin(StartSession(voice="heart"))
        page.open(f"{fake.url}?new#token={TOKEN}")
        shows(page, "#state", "You speak as")
        click(page, "#tab-record")
        page.wait("document.querySelector('#takes .play') !== null")
        click(page, "#takes .play")
        page.wait("Number(document.querySelector('#takes input[type=range]').value) > 0.1")
        click(page, "#tab-experiments")
        page.evaluate("window.opened = []; window.open = (path) => { window.opened.push(path); };")
        page.wait("document.querySelector('#experiments a') !== null")
        click(page, "#experiments a")
        page.wait("window.opened.length === 1")
        got = page.evaluate("fetch(window.opened[0]).then((answer) => answer.status)")
        assert got == 200
        assert page.evaluate("document.cookie") == ""  # no script reads it


def test_policy_forbids_inline_code_and_other_sites(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    broken = page.evaluate(
        "new Promise((done) => { document.addEventListener('securitypolicyviolation',"
        " (event) => done(event.effectiveDirective), { once: true });"
        " const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        " document.head.append(script); })"
    )
    assert broken.startswith("script-src")
    assert page.evaluate("window.ran === undefined")
    page.errors.clear()


def test_page_asks_only_its_own_server(page: Page, fake: FakeApp) -> None:
    page.requests.clear()
    visit(page, fake, voice="heart")
    assert page.requests
    assert all(each.startswith((fake.url, "blob:")) for each in page.requests), json.dumps(
        page.requests
    )
