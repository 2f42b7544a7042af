"""One change of a session at a time: other threads wait for their turn, or are refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import Problem, StateError

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from .hot_swap import HotSwap

_CLOSED = Problem("closed", "this session is closed", fix="open another one")
_BUSY = Problem("busy", "another hot swap is in progress", fix="wait until it has finished")


def session_closed() -> StateError:
    """The error of a call that comes after the session was closed."""
    return StateError(_CLOSED)


class ChangeQueue:
    """Serialises the changes of a session.

    Attributes:
        swap: the hot swap in progress; None if there is none.
        closed: whether the session is closed, or is being closed.
        processing_thread: the thread that processes audio. It cannot wait for a change.
    """

    def __init__(self) -> None:
        self.swap: HotSwap | None = None
        self.closed = False
        self.processing_thread = threading.get_ident()
        self._changed = threading.Condition()  # guards the attributes
        self._taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until no other change is in progress; nobody else changes the session inside.

        Raises:
            StateError: if the session is closed meanwhile, or the calling thread cannot wait.
        """
        waits = threading.get_ident() != self.processing_thread
        with self._changed:
            if self._taken and not waits:
                raise StateError(_BUSY)
            self._changed.wait_for(lambda: self.closed or not self._taken)
            self._require_open()
            self._taken = True
        try:
            while (swap := self.swap) is not None:
                if not waits:
                    raise StateError(_BUSY)
                swap.over.wait()
            self._require_open()
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify()

    def begin(self, swap: HotSwap, running: CompiledPlan) -> None:
        """Makes a prepared hot swap the one in progress.

        Args:
            swap: the hot swap.
            running: the plan that runs; the hot swap must have been prepared for it.

        Raises:
            StateError: if another one is in progress or was completed since ``swap`` was made, or
                the session is closed.
        """
        with self._changed:
            self._require_open()
            if self.swap is not None:
                raise StateError(_BUSY)
            if swap.replaces is not running:
                text = "the session was changed while this hot swap was being prepared"
                raise StateError(Problem("busy", text, fix="prepare it again"))
            self.swap = swap

    def cancel(self, why: str) -> None:
        """Ends the hot swap in progress, if there is one; ``why`` begins the error."""
        swap = self.swap
        if swap is not None:
            text = f"{why} before the hot swap was complete"
            swap.fail(StateError(Problem("interrupted", text)))

    def close(self) -> None:
        """Ends all waiting changes and the hot swap in progress."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        self.cancel("the session was closed")

    def _require_open(self) -> None:
        if self.closed:
            raise session_closed()
