"""The page in Chromium without network: no request, no error, players, keyboard, accessibility."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.experiments.report.write_report import write_report
from voicegraph.schemas.experiment_manifest import PageSettings

from ...accessibility import contrast_faults, page_faults
from ...chromium import Page, chromium
from .synthetic_run import RATE, synthetic_run

SECONDS = 2.0

# Notes each source that starts and stops: what is heard, and when, by the audio clock.
SPY = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  window.heard.push({ node: this, now: this.context.currentTime, when, offset, stop: null,
                      peak: Math.max(...this.buffer.getChannelData(0).slice(0, 9600)) });
  return start.call(this, when, offset);
};
const stop = AudioBufferSourceNode.prototype.stop;
AudioBufferSourceNode.prototype.stop = function (when) {
  window.heard.find((each) => each.node === this).stop = when;
  return stop.call(this, when);
};
"""
BUTTON = "document.querySelector('[data-players=clips] button').textContent"
HEARD = "JSON.stringify(window.heard.map(({ node, ...rest }) => rest))"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of a whole run with hostile names, opened."""
    run = synthetic_run(
        seconds=SECONDS,
        extra=" <b>&amp;\u202e",
        page=PageSettings(clips=1, worst=2, format="opus"),
    )
    some = next(key for key in run.sounds if key.startswith("source"))
    assert len(run.sounds[some][0]) == SECONDS * RATE
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(run, path)
    assert path.stat().st_size < 25e6
    with chromium() as opened:
        opened.look(1200)
        opened.call("Page.addScriptToEvaluateOnNewDocument", source=SPY)
        opened.open(path)
        yield opened


def _tracks(page: Page) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('[data-players=clips] fieldset label')]"
        ".map((each) => each.textContent.trim())"
    )


def _wait(page: Page, condition: str) -> None:
    """Waits for at most 20 s of the page's clock, which a busy machine may slow down."""
    script = """new Promise((done, fail) => {
      const end = Date.now() + 20000;
      const look = () => (CONDITION) ? done(true)
        : Date.now() > end ? fail(Error(String.raw`never: CONDITION`)) : setTimeout(look, 20);
      look(); })"""
    page.evaluate(script.replace("CONDITION", condition))


def _settled(page: Page) -> None:
    page.evaluate("document.activeElement.blur()")
    assert page.errors == []
    assert page.requests == []


def test_it_loads_nothing_and_reports_nothing(page: Page) -> None:
    assert len(_tracks(page)) == 15
    assert page.evaluate("document.querySelectorAll('b').length") == 0
    _settled(page)


def test_a_forbidden_request_would_be_seen(page: Page, tmp_path: Path) -> None:
    """The check before this one can fail."""
    (tmp_path / "other.html").write_text("<img src='http://127.0.0.1:9/x.png'>")
    with chromium() as other:
        other.open(tmp_path / "other.html")
        assert other.requests == ["http://127.0.0.1:9/x.png"]
        assert other.errors


def test_variants_are_switched_at_one_position(page: Page) -> None:
    page.evaluate("document.querySelector('[data-players=clips] button').click()")
    _wait(
        page,
        "window.heard.length === 1 && window.heard[0].node.context.currentTime > "
        "window.heard[0].when + 0.3",
    )
    # All sounds of the clip are decoded by then; the first switch must wait for none of them.
    for number in (4, 7, 2):
        page.evaluate(
            f"document.querySelectorAll('[data-players=clips] fieldset input')[{number}].click()"
        )
        _wait(page, "window.heard.at(-1).node.context.currentTime > window.heard.at(-1).when + 0.2")
    heard: list[dict[str, Any]] = json.loads(page.evaluate(HEARD))
    assert len(heard) == 4
    for before, after in pairwise(heard):
        position = (before["offset"] + after["when"] - before["when"]) % SECONDS
        assert after["offset"] == pytest.approx(position, abs=0.001)
        assert after["when"] - after["now"] < 0.02
        assert 0 <= before["stop"] - after["when"] < 0.02  # both fade within this time
    page.evaluate("document.querySelector('[data-players=clips] button').click()")
    assert (
        page.evaluate("document.querySelector('[data-players=clips] button').textContent") == "Play"
    )
    _settled(page)


def test_keyboard_plays_switches_and_seeks(page: Page) -> None:
    count = page.evaluate("window.heard.length")
    page.evaluate("document.querySelector('[data-players=clips] fieldset input:checked').focus()")
    page.press(" ")
    _wait(page, f"window.heard.length === {count + 1}")
    page.press("ArrowRight")
    _wait(page, f"window.heard.length === {count + 2}")
    page.press("1", "Digit1")
    _wait(page, f"window.heard.length === {count + 3}")
    checked = "document.querySelector('[data-players=clips] fieldset input:checked').value"
    assert page.evaluate(checked) == "0"
    page.press(" ")
    assert (
        page.evaluate("document.querySelector('[data-players=clips] button').textContent") == "Play"
    )
    page.evaluate("document.querySelector('[data-players=clips] input[type=range]').focus()")
    before = float(page.evaluate("document.activeElement.value"))
    page.press("ArrowRight")
    assert float(page.evaluate("document.activeElement.value")) > before - SECONDS
    _settled(page)


def test_every_control_is_reached_by_tab(page: Page) -> None:
    page.evaluate("window.scrollTo(0, 0); document.body.focus()")
    reached = set()
    for _ in range(120):
        page.press("Tab")
        reached.add(
            page.evaluate(
                "((e) => (e.getAttribute('href') || e.dataset.listen || e.type || e.tagName) + '')"
                "(document.activeElement)"
            )
        )
    assert {
        "#answer",
        "#again",
        "0",
        "range",
        "checkbox",
        "radio",
        "select-one",
        "SUMMARY",
    } <= reached
    _settled(page)


def test_worst_clip_is_played_by_its_button(page: Page) -> None:
    count = page.evaluate("window.heard.length")
    page.evaluate("document.querySelectorAll('[data-listen]')[1].click()")
    _wait(page, f"window.heard.length === {count + 1}")
    title = page.evaluate("document.querySelector('[data-players=worst] .title').textContent")
    assert title.startswith("DistillMOS")
    page.evaluate("document.querySelector('[data-players=worst] button').click()")
    _settled(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_page_is_accessible(page: Page, width: int, dark: bool) -> None:
    page.look(width, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page_faults(page) == []
    assert contrast_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pictures_follow_light_and_dark(page: Page) -> None:
    def colours(dark: bool) -> list[str]:
        page.look(1200, dark=dark)
        return page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('.figure text')).fill]"
        )

    light, dark = colours(dark=False), colours(dark=True)
    assert not set(light) & set(dark)
    assert np.isclose(page.evaluate("document.querySelector('.figure').viewBox.baseVal.width"), 620)
