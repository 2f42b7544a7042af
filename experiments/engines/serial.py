"""The engine that computes in the driver's own process: for one core, and for debugging.

A task that hangs, kills its process or takes all memory does so to the driver, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..task import Failure, Task
from .engine import RETURNED, Event, Finished, Limits, Lost
from .execute import execute_into, set_threads, thread_settings

if TYPE_CHECKING:
    from ..store import Store


class Serial:
    """Computes one task after another, in :meth:`poll`."""

    name = "serial"

    def __init__(self) -> None:
        self._ticket = 0
        self._tasks: deque[Task] = deque()
        self._returned = False
        self._store: Store | None = None
        self._settings = ExitStack()

    def start(self, store: Store, limits: Limits) -> None:
        """Sets the number of threads."""
        import torch
        from threadpoolctl import threadpool_limits

        self._store = store
        self._settings.enter_context(thread_settings(limits.threads))
        self._settings.callback(torch.set_num_threads, torch.get_num_threads())
        self._settings.enter_context(threadpool_limits(limits.threads))
        set_threads(limits.threads)

    def slots(self, *, alone: bool = False) -> int:
        """One."""
        return 1

    def submit(self, ticket: int, batch: Sequence[Task]) -> None:
        """Notes the batch."""
        assert not self._tasks
        self._ticket, self._tasks = ticket, deque(batch)

    def poll(self, timeout_s: float) -> Sequence[Event]:
        """Computes the next task, however long it takes."""
        if self._returned:
            self._returned = False
            return [Lost(self._ticket, Failure(RETURNED, "not begun"))]
        if not self._tasks:
            return []
        assert self._store is not None
        return [Finished(self._ticket, execute_into(self._tasks.popleft(), self._store))]

    def cancel(self, ticket: int) -> bool:
        """Drops the batch; nothing of it runs outside of :meth:`poll`."""
        self._tasks.clear()
        return True

    def finish(self, ticket: int) -> None:
        """Drops what has not begun."""
        self._returned = bool(self._tasks)
        self._tasks.clear()

    def close(self) -> None:
        """Restores the number of threads."""
        self._tasks.clear()
        self._settings.close()
