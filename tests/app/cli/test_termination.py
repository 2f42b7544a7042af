"""Signals that end a program do what Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from voicegraph.app.cli import doctor
from voicegraph.app.cli._termination import SIGNALS, terminated_like_ctrl_c
from voicegraph.training.common.interrupts import defer_interrupts

from .conftest import Cli


@pytest.fixture(params=SIGNALS)
def number(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal with the system's handler; tests themselves may run under nohup."""
    before = signal.signal(request.param, signal.SIG_DFL)
    yield request.param
    signal.signal(request.param, before)


def test_every_command_says_that_it_was_stopped(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def ends(*_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(doctor, "print_json", ends)
    code, _, err = cli("doctor", "--json")
    assert (code, err) == (128 + number, "stopped\n")


def test_ctrl_c_has_its_own_code(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "print_json", ends)
    code, _, err = cli("doctor", "--json")
    assert (code, err) == (130, "stopped\n")


def test_closed_terminal_that_takes_no_text_is_no_traceback(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def ends(*_: object) -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise OSError(5, "Input/output error") from None

    monkeypatch.setattr(doctor, "print_json", ends)
    assert cli("doctor", "--json")[0] == 128 + number


def test_whoever_defers_ctrl_c_defers_termination(number: int) -> None:
    steps: list[str] = []

    def critical() -> None:
        with defer_interrupts():
            signal.raise_signal(number)
            steps.append("done")

    with terminated_like_ctrl_c() as came, pytest.raises(KeyboardInterrupt):
        critical()
    assert steps == ["done"]
    assert came.exit_code(130) == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_signal_that_is_ignored_stays_ignored(number: int) -> None:
    signal.signal(number, signal.SIG_IGN)
    with terminated_like_ctrl_c() as came:
        signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    assert came.number is None
