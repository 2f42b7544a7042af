"""Ctrl-C: deferred and ignored."""

from __future__ import annotations

import signal
import threading

import pytest

from voicegraph.training.common.interrupts import defer_interrupts, ignore_interrupts


def test_interrupt_is_raised_at_the_end() -> None:
    done: list[int] = []

    def work() -> None:
        with defer_interrupts():
            signal.raise_signal(signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_errors_are_not_deferred() -> None:
    with pytest.raises(ValueError, match="no"), defer_interrupts():
        raise ValueError("no")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ignored_interrupts_stay_ignored() -> None:
    with ignore_interrupts():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        with defer_interrupts():
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_leave_signals_alone() -> None:
    found: list[str] = []

    def work() -> None:
        with defer_interrupts(), ignore_interrupts():
            found.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["done"]
