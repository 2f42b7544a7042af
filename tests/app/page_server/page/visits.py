"""What tests of the page do in it, and how they wait for what it sends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from voicegraph.schemas.app import StartSession

from ....chromium import Page
from .fake_app import FakeApp

_WAIT_S = 20.0
_READY = (
    "document.querySelector('.voice') && document.querySelector('.control') && "
    "document.getElementById('state').textContent.startsWith('Ready')"
)
_RUNS = "document.getElementById('state-detail').textContent.includes('delay')"


def visit(page: Page, fake: FakeApp, tab: str = "talk", **session: Any) -> None:
    """Opens a tab; with options of a session, one runs."""
    if session:
        fake.state.begin(StartSession(**session))
    page.open("about:blank")  # else another tab of the same page would be no new visit
    page.open(f"{fake.url}#{tab}")
    page.wait(_RUNS if session else _READY)


def text(page: Page, selector: str) -> str:
    """Text of the first element."""
    return page.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")


def click(page: Page, selector: str) -> None:
    """Clicks the first element, as a person would with a pointer."""
    page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def move(page: Page, selector: str, value: float | str, event: str = "input") -> None:
    """Gives a field a value, and tells it."""
    place = f"document.querySelector({json.dumps(selector)})"
    told = f"new Event({json.dumps(event)}, {{ bubbles: true }})"
    page.evaluate(f"{place}.value = {json.dumps(str(value))}; {place}.dispatchEvent({told}); null")


def until(condition: Callable[[], object]) -> None:
    """Waits until the server's side is so."""
    end = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < end, "it never came so"
        time.sleep(0.01)


def shows(page: Page, selector: str, words: str) -> None:
    """Waits until an element says something."""
    place = f"document.querySelector({json.dumps(selector)})"
    page.wait(f"({place}?.textContent || '').includes({json.dumps(words)})")
