"""What is shown while a session starts: on a terminal, in a log, and with ``--quiet``."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.app.cli import _startup_display as shown
from voicegraph.app.cli._progress import ProgressLines
from voicegraph.app.cli._startup_display import StageTimes, startup_display
from voicegraph.graph.startup_stages import begin_stage, end_stages

Cli = Callable[..., tuple[int, str, str]]


def test_long_stages_get_lines_with_seconds() -> None:
    times = StageTimes()
    assert times.line(0.0) is None
    times.begin("loading libraries", 0.0)
    times.begin("loading voice (synth.rvc)", 0.8)
    lines = [(tenth / 10, times.line(tenth / 10)) for tenth in range(8, 130)]
    assert [(at, text) for at, text in lines if text] == [
        (1.8, "starting: loading voice (synth.rvc), 1.0 s"),
        (6.8, "starting: loading voice (synth.rvc), 6.0 s"),
        (11.8, "starting: loading voice (synth.rvc), 11.0 s"),
    ]


def test_summary_names_what_took_long() -> None:
    times = StageTimes()
    assert times.summary(9.0) is None
    for name, at in (("libraries", 10.0), ("small", 12.0), ("warming up", 12.1)):
        times.begin(name, at)
    assert times.summary(13.5) == "started in 3.5 s: libraries 2.0 s, warming up 1.4 s"
    short = StageTimes()
    short.begin("libraries", 1.0)
    assert short.summary(1.5) is None


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FIRST_S", "_WORTH_NAMING_S"):
        monkeypatch.setattr(shown, name, 0.0)
    monkeypatch.setattr(shown, "_POLL_S", 0.001)


def _wait_for(text: str, stream: io.StringIO) -> None:
    for _ in range(2000):
        if text in stream.getvalue():
            return
        time.sleep(0.005)
    raise AssertionError(stream.getvalue())


def test_lines_end_when_the_session_runs(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with startup_display(quiet=False):
        begin_stage("loading \x1b[2J")
        _wait_for("starting: loading \\x1b[2J, 0.0 s\n", stream)
        end_stages()
        told = stream.getvalue()
        assert "started in 0.0 s: loading libraries" in told
        begin_stage("a swap, later")
    assert stream.getvalue() == told


def test_terminal_gets_one_line_that_is_removed(
    at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with startup_display(quiet=False, summary=False):
        begin_stage("warming [bold]up")
        _wait_for("warming [bold]up, 0.", stream)
    assert "starting:" not in stream.getvalue()


def test_quiet_shows_nothing(at_once: None, capsys: pytest.CaptureFixture[str]) -> None:
    with startup_display(quiet=True):
        begin_stage("anything")
        end_stages()
    assert capsys.readouterr().err == ""


def test_display_ends_with_an_error(at_once: None) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), startup_display(quiet=False):
        raise ZeroDivisionError
    assert threading.active_count() == before


def test_conversion_names_its_stages(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with ProgressLines() as lines:
        lines.begin("talk.wav")
        lines.stage("loading f0 (f0.dio)")
        _wait_for("starting: loading f0 (f0.dio)", stream)
        lines(1.0, 10.0)  # the first input is done
        told = stream.getvalue()
    assert stream.getvalue() == told


@pytest.mark.parametrize("command", ["live", "bench"])
def test_commands_name_every_node_that_loads(
    command: str,
    cli: Cli,
    sound_system: Any,
    at_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stages: list[str] = []
    monkeypatch.setattr(StageTimes, "begin", lambda self, name, now: stages.append(name))
    more = ("--duration", "20ms") if command == "live" else ("--blocks", "2")
    code, _, err = cli(command, "good.yaml", *more)
    assert code == 0, err
    assert stages[:2] == ["loading libraries", "reading good.yaml"]
    assert {"loading low (dsp.gain)", "warming up"} <= set(stages)
    if command == "live":
        assert "opening the devices" in stages
