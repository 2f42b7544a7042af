"""The interface of a live session for screens, HTTP, OSC and tests."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Protocol

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveStatus, LoggedMessage

from ..plan import CompiledPlan
from .spectrum_feed import SpectrumFeed


class ShownSession(Protocol):
    """A live session as a screen sees it; shown and controlled from any thread."""

    @property
    def stopped(self) -> threading.Event:
        """Set when the session has ended."""
        ...

    def status(self) -> LiveStatus:
        """All that is shown, also after the end; takes no longer than a block."""
        ...

    def command(self, command: LiveCommand) -> Future[None] | None:
        """Carries out a command, or begins it; may take seconds if nodes are swapped.

        Returns:
            None if the command is carried out; for a hot swap, a future that is done when the new
            nodes are heard, and that fails if they are not.

        Raises:
            VoicegraphError: if it cannot be carried out; the session goes on unchanged.
        """
        ...

    def say(self, text: str) -> None:
        """Adds a message to those that the status shows."""
        ...

    def request_stop(self) -> None:
        """Ends the session soon; then ``stopped`` is set. Safe to call twice."""
        ...


class LiveSessionProtocol(ShownSession, Protocol):
    """A live session as programs see it; implemented by ``graph.live.session.LiveSession``."""

    @property
    def plan(self) -> CompiledPlan:
        """The plan that runs now; another one after a hot swap."""
        ...

    @property
    def spectra(self) -> SpectrumFeed:
        """Spectra of input and output, for those who watch."""
        ...

    def log(self) -> list[LoggedMessage]:
        """All messages that are kept, oldest first; a status has the newest few."""
        ...

    def count_dropped_packets(self, count: int) -> None:
        """Counts control packets that were not carried out, for the status."""
        ...
