"""Signals that end a program: every command takes them as it takes Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Termination, a closed terminal, and Ctrl-Break on Windows."""


@dataclass(slots=True)
class Termination:
    """What came.

    Attributes:
        number: of the signal; None if none came.
    """

    number: int | None = None

    def exit_code(self, interrupted: int) -> int:
        """128 and the signal's number; ``interrupted`` if it was Ctrl-C."""
        return interrupted if self.number is None else 128 + self.number


@contextmanager
def terminated_like_ctrl_c() -> Iterator[Termination]:
    """In this block, the signals do what Ctrl-C does, so that files are finished or removed.

    A signal that is ignored (``nohup``) or has a handler stays as it is.
    """
    came = Termination()
    if threading.current_thread() is not threading.main_thread():
        yield came  # only the main thread may set handlers
        return

    def end(number: int, frame: FrameType | None) -> None:
        came.number = number
        # Whoever defers Ctrl-C for a moment defers these, too.
        handler = signal.getsignal(signal.SIGINT)
        if not callable(handler):  # ignored: a job in the background of a script
            raise KeyboardInterrupt
        handler(signal.SIGINT, frame)

    ours = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield came
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
