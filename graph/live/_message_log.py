"""The messages of a live session, each with its time and kind."""

from __future__ import annotations

import threading
import time
from collections import deque

from voicegraph.schemas.live_status import LoggedMessage, MessageKind

_KEPT = 200


class MessageLog:
    """Keeps the newest messages; may be used from any thread.

    Attributes:
        begun: when the session began (``time.perf_counter``).
    """

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self._kept: deque[LoggedMessage] = deque(maxlen=_KEPT)
        self._number = 0
        self._turn = threading.Lock()

    def add(self, text: str, kind: MessageKind = "note") -> None:
        """Adds a message."""
        with self._turn:
            self._number += 1
            message = LoggedMessage(
                number=self._number,
                seconds=round(time.perf_counter() - self.begun, 3),
                unix_s=round(time.time(), 3),
                kind=kind,
                text=text,
            )
            self._kept.append(message)

    def newest(self, count: int = _KEPT) -> list[LoggedMessage]:
        """The newest messages, oldest first."""
        with self._turn:
            return list(self._kept)[-count:]

    @property
    def texts(self) -> list[str]:
        """The texts of all messages that are kept, oldest first."""
        return [message.text for message in self.newest()]
