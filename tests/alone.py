"""Tests marked ``alone`` run while no other process of the suite runs one.

They hear a sound card, whose every late block is in the recording; what another process computes
meanwhile would make blocks late that the session has no part in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock

GATE = "gate"


class Turns:
    """Whose turn it is among the processes of one test run.

    Every test holds the lock of its process; one that runs alone holds those of all. Who takes
    locks passes the gate first, so that a test that waits for all processes waits only for the
    tests that run already.

    Args:
        folder: exists; the same for all processes.
        process: number of this one.
        processes: how many there are.
    """

    def __init__(self, folder: Path, process: int, processes: int) -> None:
        self._gate = FileLock(folder / GATE)
        self._locks = [FileLock(folder / f"process-{number}") for number in range(processes)]
        self._own = self._locks[process]

    @contextmanager
    def taken(self, alone: bool) -> Iterator[None]:
        """Holds what a test needs; ``alone`` keeps the gate, too, so that no other one begins."""
        with ExitStack() as held:
            if alone:
                for lock in (self._gate, *self._locks):
                    held.enter_context(lock)
            else:
                with self._gate:
                    held.enter_context(self._own)
            yield
