"""Ctrl-C where it would do harm: held back for a moment, or kept from other processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held_back() -> Iterator[None]:
    """What is done meanwhile is done whole: Ctrl-C is heard afterwards.

    Raises:
        KeyboardInterrupt: at the end, if it came.
    """
    if not _may_listen() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    came: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *found: came.append(found))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


@contextmanager
def unheard() -> Iterator[None]:
    """Processes that are begun meanwhile do not hear a terminal's Ctrl-C, which reaches them all.

    The first process does, and tells the others. On Windows they have to see to it themselves.
    """
    if not _may_listen():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _may_listen() -> bool:
    """Signals are the main thread's."""
    return threading.current_thread() is threading.main_thread()
