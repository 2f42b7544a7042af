"""What a screen needs of a live session, wherever that runs."""

from __future__ import annotations

import threading
from typing import Protocol

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveStatus


class LiveSession(Protocol):
    """Shown and steered, from any thread: ``graph/live/session.py`` is one."""

    @property
    def stopped(self) -> threading.Event:
        """Set when the session has ended."""
        ...

    def status(self) -> LiveStatus:
        """Everything that is shown; also after the end."""
        ...

    def command(self, command: LiveCommand) -> None:
        """Does what is asked; may take seconds, where nodes are exchanged.

        Raises:
            VoicegraphError: if that cannot be; the session goes on as it was.
        """
        ...

    def request_stop(self) -> None:
        """Ends the session soon; ``stopped`` says when. Safe to call twice."""
        ...
