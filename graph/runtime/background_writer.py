"""A thread that writes to disk for a thread that must not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue

from ..errors import VoicegraphError

_POLL_S = 1.0
"""A wait without a limit cannot be interrupted on Windows."""
_STUCK_S = 10.0
"""Seconds without progress after which a disk counts as unresponsive."""


class BackgroundWriter:
    """Runs functions in order on a thread of its own, from a queue of limited length.

    Args:
        name: of the thread.
        length: most entries in the queue.
        before_each: called on the thread before each function.

    Attributes:
        failed: why a function failed; nothing is run after that. None while all is well.
    """

    def __init__(
        self, name: str, length: int, before_each: Callable[[], None] | None = None
    ) -> None:
        self.failed: str | None = None
        self._before_each = before_each or (lambda: None)
        self._queue: Queue[Callable[[], None] | None] = Queue(length)
        self._done = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Functions that were not run yet."""
        return self._queue.qsize()

    def submit(self, write: Callable[[], None]) -> bool:
        """Queues a function; never waits. False if the queue is full or a function failed."""
        if self.failed is not None:
            return False
        try:
            self._queue.put_nowait(write)
        except Full:
            return False
        return True

    def close(self) -> None:
        """Runs what is queued, and ends the thread; gives up on a disk that does not respond."""
        sent, done = False, None
        while self._thread.is_alive():
            if not sent:
                with suppress(Full):
                    self._queue.put(None, timeout=_STUCK_S)
                    sent = True
                    continue
            else:
                self._thread.join(_STUCK_S)
            if self._thread.is_alive() and self._done == done:
                self.failed = "the disk does not respond"
                return
            done = self._done

    def _run(self) -> None:
        while (write := self._next()) is not None:
            try:
                self._before_each()
                if self.failed is None:
                    write()
            except OSError as error:
                self.failed = error.strerror or str(error)
            except VoicegraphError as error:
                self.failed = error.problems[0].message
            except Exception as error:
                self.failed = f"{type(error).__name__}: {error}"
            self._done += 1

    def _next(self) -> Callable[[], None] | None:
        while True:
            try:
                return self._queue.get(timeout=_POLL_S)
            except Empty:
                continue
