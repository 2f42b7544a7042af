"""What the interfaces know of a live session."""

from __future__ import annotations

import threading
from typing import Protocol

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveStatus


class Steerable(Protocol):
    """A live session as others see it; all of it may be called from any thread.

    :class:`~voicegraph.graph.live.session.Live` is one.
    """

    @property
    def stopped(self) -> threading.Event:
        """Set when it has ended."""
        ...

    def status(self) -> LiveStatus:
        """Everything that is shown; takes no longer than a block."""
        ...

    def command(self, command: LiveCommand) -> None:
        """Does what is asked.

        Raises:
            VoicegraphError: if that cannot be.
        """
        ...

    def say(self, text: str) -> None:
        """Leaves a message for whoever looks."""
        ...
