"""Runs commands of a live session on a thread of their own: some take seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.schemas.live_command import LiveCommand

SESSION_ENDED = Problem("ended", "the session has ended")

_JOIN_S = 0.25
"""Waits are cut into slices: on Windows, Ctrl-C does not interrupt a waiting thread."""


class CommandQueue:
    """Runs commands one after another, in the order of :meth:`submit`.

    Args:
        execute: runs a command; its exception becomes that of the future.
        thread_name: for debuggers. The thread starts with the first command.
        limit: how many commands may be running or waiting; None: any number.
    """

    def __init__(
        self,
        execute: Callable[[LiveCommand], None],
        thread_name: str,
        limit: int | None = None,
    ) -> None:
        self._execute = execute
        self._limit = limit
        self._queue: SimpleQueue[tuple[LiveCommand, Future[None]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._unfinished = 0
        self._closed = False
        # A daemon: a command that hangs must not keep the interpreter from exiting.
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)

    def submit(self, command: LiveCommand) -> Future[None]:
        """Queues a command.

        Returns:
            Done when the command is. Fails with what ``execute`` raised, or with a StateError if
            the queue is full or closed.
        """
        future: Future[None] = Future()
        with self._lock:
            if self._closed:
                return failed(StateError(SESSION_ENDED))
            if self._limit is not None and self._unfinished >= self._limit:
                return failed(StateError(_too_many(self._limit)))
            if self._thread.ident is None:
                self._thread.start()
            self._unfinished += 1
            future.add_done_callback(self._finished)
            self._queue.put((command, future))
        return future

    def close(self) -> None:
        """Takes no more commands, and cancels those that have not begun."""
        with self._lock:
            self._closed = True
        while True:
            try:
                entry = self._queue.get_nowait()
            except Empty:
                break
            if entry is not None:
                entry[1].cancel()
        self._queue.put(None)

    def wait(self, seconds: float = float("inf")) -> None:
        """After :meth:`close`: waits for the command that is running, at most so many seconds."""
        deadline = time.monotonic() + seconds
        while self._thread.is_alive() and (left := deadline - time.monotonic()) > 0:
            self._thread.join(min(left, _JOIN_S))

    @property
    def busy(self) -> bool:
        """Whether commands are running or waiting."""
        return self._unfinished > 0

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            command, future = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                self._execute(command)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)

    def _finished(self, _: Future[None]) -> None:
        with self._lock:
            self._unfinished -= 1


def failed(error: VoicegraphError) -> Future[None]:
    """A future that has failed already."""
    future: Future[None] = Future()
    future.set_exception(error)
    return future


def _too_many(limit: int) -> Problem:
    text = f"{limit} slow commands are running or waiting already"
    return Problem("busy", text, fix="wait for their answers")
