"""Garbage collection between blocks, never inside one.

What exists after warm-up stays for the whole session and is left out of every search. What comes
afterwards is looked through while the engine waits for the next block, if there is time.
"""

from __future__ import annotations

import gc

_YOUNG_S = 1.0
_OLD_S = 20.0
"""How often the young and the old are looked through."""
_NEEDS_S = 0.004
_OLD_NEEDS_S = 0.02
"""Time that must be left for it."""


class Collector:
    """Takes over from the interpreter while a session runs."""

    def __init__(self) -> None:
        self._was = gc.isenabled()
        self._young = self._old = 0.0
        gc.collect()
        gc.freeze()
        gc.disable()

    def between(self, now: float, left: float) -> None:
        """Collects if it is due, with ``left`` seconds until the next block."""
        if left >= _OLD_NEEDS_S and now - self._old > _OLD_S:
            gc.collect()
            self._old = self._young = now
        elif left >= _NEEDS_S and now - self._young > _YOUNG_S:
            gc.collect(1)
            self._young = now

    def close(self) -> None:
        """Gives it back."""
        gc.unfreeze()
        if self._was:
            gc.enable()
