"""Statistics of compute times for the status, at most some times a second for all readers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.session import Session
    from ..runtime.timing import Timing

EVERY_S = 0.25
"""Percentiles over some thousand blocks change slowly."""


class TimingCache:
    """The running plan with the compute times of its nodes, computed at most every ``EVERY_S``.

    The statistics take the interpreter for about 0.1 ms a node. The engine never waits for them: it
    only writes to its ring buffers, without a lock.

    Args:
        session: the running session.
        clock: returns the time in seconds.
    """

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._clock = session, clock
        self._computing = threading.Lock()
        self._read: tuple[float, CompiledPlan, Mapping[str, Timing]] | None = None

    def read(self) -> tuple[CompiledPlan, Mapping[str, Timing]]:
        """Plan and times that belong together; a hot swap is visible at once. From any thread."""
        known = self._read
        if not self._is_due(known):
            assert known is not None
            return known[1:]
        with self._computing:  # one thread computes for all that ask now
            known = self._read
            if known is None or self._is_due(known):
                self._read = known = (self._clock(), *self._compute())
        return known[1:]

    def _is_due(self, known: tuple[float, CompiledPlan, Mapping[str, Timing]] | None) -> bool:
        if known is None or known[1] is not self._session.plan:
            return True
        return self._clock() - known[0] >= EVERY_S

    def _compute(self) -> tuple[CompiledPlan, Mapping[str, Timing]]:
        while True:  # nodes may be swapped meanwhile
            plan, timings = self._session.plan, self._session.timings()
            if {node.name for node in plan.nodes} <= timings.keys():
                return plan, timings
