"""Settings of the Python interpreter during a live session: garbage collection, thread switches.

Garbage is collected between blocks and never during one. Objects that exist after the warm-up are
frozen: no collection visits them. Newer objects are collected while the engine waits for the next
block, if twice the time of the previous collection is left. If there is never that much time, the
collection runs when it is long overdue, because memory must not grow.
"""

from __future__ import annotations

import gc
import sys
import time

_SPARE_S = 0.001
"""Seconds that must be left in any case."""
_PATIENCE = 6
"""After this many intervals a collection runs, whatever time is left."""
_SWITCH_INTERVAL_S = 0.0005


class _GenerationTimer:
    """When to collect one generation and all younger ones."""

    def __init__(self, generation: int, every_s: float) -> None:
        self.generation, self.every_s = generation, every_s
        self.last_run = 0.0
        self.duration_s = 0.0

    def due(self, now: float, left: float) -> bool:
        waited = now - self.last_run
        if waited <= self.every_s:
            return False
        return left >= 2 * self.duration_s + _SPARE_S or waited > _PATIENCE * self.every_s

    def run(self, now: float) -> None:
        begun = time.perf_counter()
        gc.collect(self.generation)
        self.duration_s = time.perf_counter() - begun
        self.last_run = now


class GcControl:
    """Replaces automatic garbage collection while a session runs."""

    def __init__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()
        self._young, self._old = _GenerationTimer(1, every_s=1.0), _GenerationTimer(2, every_s=20.0)
        now = time.perf_counter()
        for timer in (self._old, self._young):
            timer.run(now)  # measures how long it takes

    def collect_if_due(self, now: float, left: float) -> None:
        """Collects a generation if it is due.

        Args:
            now: ``time.perf_counter``, in seconds.
            left: seconds until the next block.
        """
        if self._old.due(now, left):
            self._old.run(now)
            self._young.last_run = now
        elif self._young.due(now, left):
            self._young.run(now)

    def close(self) -> None:
        """Restores automatic collection, if it was on before."""
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()


class SwitchInterval:
    """Shortens the interpreter's thread switch interval while a session runs.

    The default is 5 ms: a screen or a web server that computes could delay every audio callback and
    every block by that much. Switching more often costs the threads that compute for long, not
    those that wait.
    """

    def __init__(self) -> None:
        self._before = sys.getswitchinterval()
        sys.setswitchinterval(min(self._before, _SWITCH_INTERVAL_S))

    def close(self) -> None:
        """Restores the previous interval."""
        sys.setswitchinterval(self._before)
