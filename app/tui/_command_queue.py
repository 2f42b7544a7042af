"""Commands on their way to a session: some take seconds, and the screen goes on meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from voicegraph.graph.live.protocol import LiveSessionProtocol
from voicegraph.schemas.live_command import LiveCommand

from ._until_stopped import SLICE_S


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command.

    Attributes:
        key: what it changes, as :meth:`Asking.ask` was told.
        value: to what.
        error: why it was refused; None if it was done.
    """

    key: str
    value: Any
    error: Exception | None


class Asking:
    """Sends commands one after the other, in order, on a thread of its own.

    Args:
        live: who carries them out.
    """

    def __init__(self, live: LiveSessionProtocol) -> None:
        self._live = live
        self._asked: SimpleQueue[tuple[str, Any, LiveCommand] | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._closed = threading.Event()
        # A command that hangs must not keep the program from ending, if the person insists.
        self._thread = threading.Thread(target=self._run, name="voicegraph-keys", daemon=True)
        self._thread.start()

    def ask(self, key: str, value: Any, command: LiveCommand) -> None:
        """Sends a command that changes ``key`` to ``value``."""
        self._asked.put((key, value, command))

    def answers(self) -> list[Answer]:
        """Those that have come since the last call."""
        found = []
        while True:
            try:
                found.append(self._answers.get_nowait())
            except Empty:
                return found

    def close(self) -> None:
        """Takes no more, and leaves what has not begun."""
        self._closed.set()
        self._asked.put(None)

    def wait(self) -> None:
        """Until the command under way is done: the libraries below it do not survive an exit."""
        while self._thread.is_alive():
            self._thread.join(SLICE_S)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None and not self._closed.is_set():
            key, value, command = asked
            error = None
            try:
                self._live.command(command)
            except Exception as found:  # shown by the screen, which goes on
                error = found
            self._answers.put(Answer(key, value, error))
