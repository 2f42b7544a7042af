"""The page for keyboard, screen reader and contrast: each tab, light and dark, wide and phone."""

from __future__ import annotations

import pytest

from ....accessibility import contrast_faults, page_faults
from ....chromium import Page
from .fake_app import FakeApp
from .fake_state import controls, job, late, more_controls
from .visits import shows, visit

TABS = ("talk", "health", "record", "files", "graph", "experiments")


def _faults(page: Page, width: int, dark: bool) -> list[str]:
    page.look(width, 4000, dark=dark)  # nothing lies below the bar of the session
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    page.wait("document.getAnimations().length === 0")  # colours change gradually
    found = page_faults(page) + contrast_faults(page)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        found.append("wider than the screen")
    return found


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_accessible_while_a_session_runs(page: Page, fake: FakeApp, tab: str) -> None:
    fake.state.health, fake.state.advice = late(3), ["--set block=250ms"]
    fake.state.controls = [*controls(), *more_controls()]
    sent = job(0, "heart", ["a.wav", "b.wav"], "wav")
    done = sent.files[0].model_copy(update={"state": "done", "seconds": 1.5})
    fake.state.jobs = [sent.model_copy(update={"files": [done, sent.files[1]]})]
    visit(page, fake, tab, voice="heart", push_to_talk=True)
    if tab == "graph":
        page.wait("document.querySelector('.plan-node.chosen') !== null")
    for width, dark in ((1280, False), (1280, True), (360, False), (360, True)):
        assert _faults(page, width, dark) == [], (width, dark)


def test_every_tab_is_accessible_without_anything(page: Page, fake: FakeApp) -> None:
    state = fake.state
    state.voices, state.presets, state.takes, state.experiments = [], [], [], []
    page.open(fake.url)
    shows(page, "#voices", "There are no voices yet")
    for tab in TABS:
        page.evaluate(f"document.querySelector('#tab-{tab}').click()")
        assert _faults(page, 360, False) == [], tab


def test_dialogs_are_accessible_and_close_by_escape(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    page.evaluate("document.querySelector('[data-voice=alice] .about').focus()")
    page.press("Enter")
    assert _faults(page, 360, True) == []
    page.press("Escape")
    page.wait("document.querySelector('dialog') === null")
    assert page.evaluate("document.activeElement.classList.contains('about')")


def test_tabs_follow_arrow_keys_and_one_is_in_the_order(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    page.evaluate("document.querySelector('#tab-talk').focus()")
    for key, tab in (("ArrowRight", "health"), ("End", "experiments"), ("ArrowRight", "talk")):
        page.press(key)
        assert page.evaluate("document.activeElement.id") == f"tab-{tab}"
        assert page.evaluate(f"!document.querySelector('#panel-{tab}').hidden")
    inside = page.evaluate("[...document.querySelectorAll('[role=tab]')].map((e) => e.tabIndex)")
    assert sorted(inside) == [-1] * 5 + [0]
    page.press("ArrowLeft")
    page.press("Tab")
    assert page.evaluate("document.activeElement.id") == "panel-experiments"


def test_everything_on_talk_is_reached_by_tab(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart", push_to_talk=True)
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(70):
        page.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    wanted = {"tab-talk", "device-input", "device-output", "ptt", "voice-heart", "start"}
    assert wanted | {"control-pitch", "control-denoise-on", "hold", "mute", "monitor"} <= reached


def test_focus_is_seen_on_every_kind_of_control(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    page.evaluate("document.activeElement.blur()")
    for _ in range(30):
        page.press("Tab")
        seen = page.evaluate(
            "((e) => { const shown = e.closest('.voice, .option') || e.labels?.[0] || e;"
            " const some = [e, shown, e.nextElementSibling].filter((each) => each);"
            " const outlined = (each) => getComputedStyle(each).outlineStyle !== 'none';"
            " return some.some(outlined) ? '' : e.outerHTML.slice(0, 120);"
            " })(document.activeElement)"
        )
        assert seen == ""


def test_less_motion_draws_in_place(page: Page, fake: FakeApp) -> None:
    reduce = {"name": "prefers-reduced-motion", "value": "reduce"}
    page.call("Emulation.setEmulatedMedia", features=[reduce])
    visit(page, fake, "health", voice="heart")
    # A picture that runs is drawn at its right end; one that is written over begins at the left.
    page.wait(
        "[...document.querySelectorAll('.spectrogram')].some((canvas) => canvas.width && "
        "canvas.getContext('2d').getImageData(0, 0, 1, canvas.height).data"
        ".some((value, i) => i % 4 < 3 && value > 60))"
    )
    page.errors.clear()  # the browser warns that pictures are read back
    moved = page.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration")
    assert moved == "0s"
