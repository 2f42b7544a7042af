"""Ctrl-C held back, and unheard."""

from __future__ import annotations

import signal
import threading

import pytest

from voicegraph.training.common.interrupts import held_back, unheard


def test_is_heard_when_it_is_done() -> None:
    done: list[int] = []

    def work() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_errors_pass() -> None:
    with pytest.raises(ValueError, match="no"), held_back():
        raise ValueError("no")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_it_is_ignored_it_stays_so() -> None:
    with unheard():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        with held_back():
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_have_no_signals() -> None:
    found: list[str] = []

    def work() -> None:
        with held_back(), unheard():
            found.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["done"]
