from __future__ import annotations

import io
import sys
from functools import partial
from typing import Any

import pytest

from voicegraph.app.tui import run_screen
from voicegraph.app.tui.screen import LiveScreen
from voicegraph.graph.errors import VoicegraphError


@pytest.fixture
def without_textual(monkeypatch) -> None:
    """Makes Textual impossible to import."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "textual"]:
        monkeypatch.delitem(sys.modules, name)
    ours = [name for name in sys.modules if name.startswith("voicegraph.app.tui.")]
    for name in ours:
        if name.rpartition(".")[2] in ("screen", "_panel", "_footer", "_param_list"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("voicegraph.app.tui.screen", raising=False)
    monkeypatch.setitem(sys.modules, "textual", None)


def test_missing_textual_is_reported_with_its_fix(live, without_textual) -> None:
    with pytest.raises(VoicegraphError) as caught:
        run_screen.run_screen(live)
    (problem,) = caught.value.problems
    assert problem.code == "missing-package"
    assert problem.fix is not None
    assert "textual" in problem.message
    assert 'install "voicegraph[live]"' in problem.fix
    assert "--plain" in problem.fix
    assert live.stopped.is_set()


def test_other_missing_modules_are_raised_unchanged(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "voicegraph.app.tui.screen", raising=False)
    monkeypatch.delattr("voicegraph.app.tui.screen", raising=False)
    monkeypatch.setitem(sys.modules, "voicegraph.app.tui._status_lines", None)
    with pytest.raises(ModuleNotFoundError, match="_status_lines"):
        run_screen.require_textual()


@pytest.fixture
def headless(monkeypatch) -> dict[str, Any]:
    """Runs without a terminal, and calls ``on_start`` with the screen when it is up."""
    options: dict[str, Any] = {}
    run = LiveScreen.run

    def without_terminal(self: LiveScreen, **given: Any) -> Any:
        options.update(given)
        if (failure := options.get("failure")) is not None:
            raise failure
        self.call_later(partial(options["on_start"], self))
        return run(self, headless=True, size=(80, 24), **given)

    monkeypatch.setattr(LiveScreen, "run", without_terminal)
    return options


def test_last_messages_are_printed_after_the_screen(live, headless) -> None:
    def on_start(app: LiveScreen) -> None:
        live.change(messages=["a", "the device is gone"])
        app.action_stop()

    headless["on_start"] = on_start
    out = io.StringIO()
    run_screen.run_screen(live, out)
    assert headless["mouse"] is False  # the terminal can select text, and mouse moves wake nothing
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["1:02:03 message: a", "1:02:03 message: the device is gone"]
    assert lines[2].startswith("1:02:03 stopped; ")
    assert len(lines) == 3


def test_keyboard_interrupt_stops_the_session(live, headless) -> None:
    headless["failure"] = KeyboardInterrupt()
    out = io.StringIO()
    run_screen.run_screen(live, out)
    assert live.stopped.is_set()
    assert "stopped; " in out.getvalue()
