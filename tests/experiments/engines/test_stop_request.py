"""Ctrl-C: once asks, twice interrupts."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from voicegraph.experiments.engines import stop_request
from voicegraph.experiments.engines.processes import Processes
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.engines.stop_request import stop_by_ctrl_c


def test_the_first_ctrl_c_asks_and_the_second_interrupts() -> None:
    told: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with stop_by_ctrl_c(lambda: told.append("once")) as request:
        assert not request()
        signal.raise_signal(signal.SIGINT)
        assert request()
        assert told == ["once"]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert not request.expired
    assert signal.getsignal(signal.SIGINT) is before


def test_a_task_of_this_process_is_interrupted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_request, "GRACE_S", 0.01)
    monkeypatch.setattr(stop_request, "_MORE_S", 0.01)
    with stop_by_ctrl_c(lambda: None) as request:
        with request.while_computing(Serial()):
            signal.raise_signal(signal.SIGINT)
            time.sleep(60)
        assert request.expired
        with request.while_computing(Processes(1)):
            assert not request.interruptible, "its tasks are in other processes, which are ended"


def test_the_second_ctrl_c_ends_a_task_of_this_process() -> None:
    with stop_by_ctrl_c(lambda: None) as request:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), request.while_computing(Serial()):
            signal.raise_signal(signal.SIGINT)
        assert not request.interruptible


def test_what_is_being_written_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_request, "GRACE_S", 0.0)
    monkeypatch.setattr(stop_request, "_MORE_S", 0.0)
    with stop_by_ctrl_c(lambda: None) as request:
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.1)
    assert request.made
    assert not request.expired


def test_other_threads_leave_the_handler_alone() -> None:
    found = []

    def ask() -> None:
        with stop_by_ctrl_c(lambda: None) as request:
            found.append(request())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [False]


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_by_ctrl_c(lambda: None) as request:
            signal.raise_signal(signal.SIGINT)
            assert not request()
    finally:
        signal.signal(signal.SIGINT, before)
