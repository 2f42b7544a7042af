"""Lets a thread run Python code only between the blocks of a running engine.

A block calls hundreds of operations, and takes the interpreter lock again after each. A thread that
computes in the interpreter meanwhile (compiles a pipeline, imports packages, builds nodes) gives
the lock away only after a switch interval, so that a block took up to five times as long. Its
niceness does not matter: the lock knows none.

The thread is asked by its profile function (``sys.setprofile``), at each call and return. A single
call into C cannot be interrupted, but most of the long ones release the lock.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_LONGEST_S = 0.05
"""Longest wait for the engine. An engine that is never idle must not stop the thread, and neither
must one that waits for a lock that the thread holds."""
_TURN_S = 0.002
"""How long the thread may compute after it has waited that long in vain."""


class _Yield:
    """A profile function that waits until the engine is idle."""

    def __init__(self, idle: threading.Event) -> None:
        self._idle = idle
        self._turn_ends = 0.0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if self._idle.is_set() or time.perf_counter() < self._turn_ends:
            return
        if not self._idle.wait(_LONGEST_S):
            self._turn_ends = time.perf_counter() + _TURN_S


@contextmanager
def yielding_to(idle: threading.Event) -> Iterator[None]:
    """Inside the block, Python code of the calling thread waits while the engine computes.

    Args:
        idle: set while the engine waits for a block.
    """
    before = sys.getprofile()
    sys.setprofile(_Yield(idle))
    try:
        yield
    finally:
        sys.setprofile(before)


@contextmanager
def not_yielding() -> Iterator[None]:
    """Inside the block, the calling thread computes as if :func:`yielding_to` was not in force."""
    before = sys.getprofile()
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(before)
