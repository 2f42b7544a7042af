"""Ctrl-C (SIGINT): deferred during critical sections, ignored in worker processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Defers Ctrl-C to the end of the block, so that the block is not interrupted halfway.

    Raises:
        KeyboardInterrupt: at the end, if Ctrl-C was pressed.
    """
    if not _is_main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
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
def ignore_interrupts() -> Iterator[None]:
    """Processes started in this block ignore Ctrl-C.

    A terminal sends Ctrl-C to all of its processes; the parent handles it and stops the others.
    On Windows each process has to ignore it by itself.
    """
    if not _is_main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_main_thread() -> bool:
    """Only the main thread may set signal handlers."""
    return threading.current_thread() is threading.main_thread()
