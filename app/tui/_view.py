"""What the parts of a screen look at: the newest status, and what the screen itself knows."""

from __future__ import annotations

from typing import Any

from voicegraph.schemas.live_status import LiveStatus

from ._message_log import MessageLog
from ._meters import Hold


class View:
    """Kept by the screen, read by its parts.

    Args:
        status: the first one.

    Attributes:
        status: the newest one.
        stopping: the session was asked to stop.
        input_hold: what the input's meter remembers.
        output_hold: what the output's meter remembers.
        log: messages of the session and of the screen.
        wanted: values that were asked for and not yet answered, by param or switch: keys that
            follow each other quickly count from them.
    """

    def __init__(self, status: LiveStatus) -> None:
        self.stopping = False
        self.input_hold, self.output_hold = Hold(), Hold()
        self.log = MessageLog()
        self.wanted: dict[str, Any] = {}
        self.take(status)

    def take(self, status: LiveStatus) -> None:
        """The newest status."""
        self.status = status
        self.input_hold.take(status.seconds, status.input)
        self.output_hold.take(status.seconds, status.output)
        self.log.take(status.messages)
