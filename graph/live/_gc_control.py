"""Garbage collection between blocks, never inside one.

What exists after warm-up stays for the whole session and is left out of every search. What comes
afterwards is looked through while the engine waits for the next block, if there is time: as long as
the search took the last time, twice over. Where there never is that much, it is done when it has
been due for long, for memory must not grow.
"""

from __future__ import annotations

import gc
import time

_SPARE_S = 0.001
"""Time that must be left in any case."""
_PATIENCE = 6
"""So many intervals late it is done, whatever time is left."""


class _Search:
    """One generation and all younger ones, each so often."""

    def __init__(self, generation: int, every_s: float) -> None:
        self.generation, self.every_s = generation, every_s
        self.done = 0.0
        self.takes = 0.0

    def due(self, now: float, left: float) -> bool:
        waited = now - self.done
        if waited <= self.every_s:
            return False
        return left >= 2 * self.takes + _SPARE_S or waited > _PATIENCE * self.every_s

    def run(self, now: float) -> None:
        begun = time.perf_counter()
        gc.collect(self.generation)
        self.takes = time.perf_counter() - begun
        self.done = now


class Collector:
    """Takes over from the interpreter while a session runs."""

    def __init__(self) -> None:
        self._was = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()
        self._young, self._old = _Search(1, every_s=1.0), _Search(2, every_s=20.0)
        now = time.perf_counter()
        for search in (self._old, self._young):
            search.run(now)  # tells how long it takes

    def between(self, now: float, left: float) -> None:
        """Collects if it is due, with ``left`` seconds until the next block.

        Args:
            now: ``time.perf_counter``.
            left: seconds.
        """
        if self._old.due(now, left):
            self._old.run(now)
            self._young.done = now
        elif self._young.due(now, left):
            self._young.run(now)

    def close(self) -> None:
        """Gives it back."""
        gc.unfreeze()
        if self._was:
            gc.enable()
