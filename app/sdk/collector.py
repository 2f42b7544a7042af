"""Garbage collection in a process whose interpreter belongs to the C library.

No block waits for a collection of the whole heap: what imports and the first session have made is
frozen, newer objects are collected after a block, in the time that is left of it.
"""

from __future__ import annotations

import gc
import threading
import time

from voicegraph.graph.live.interpreter_tuning import GcControl, SwitchInterval
from voicegraph.graph.live.memory_trim import trim_memory


class Collector:
    """Collects between blocks. Any thread may call any method.

    Args:
        own_interpreter: whether the library has started the interpreter. In a program that is
            written in Python, its collector is left as it is.
    """

    def __init__(self, own_interpreter: bool) -> None:
        self._own = own_interpreter
        self._control: GcControl | None = None
        self._busy = threading.Lock()  # one thread collects, the others go on
        if own_interpreter:
            self._switching = SwitchInterval()

    def session_opened(self) -> None:
        """Freezes what exists after the first session; later on collects what that has left."""
        if not self._own:
            return
        with self._busy:
            if self._control is None:
                self._control = GcControl()
            else:
                gc.collect()

    def session_closed(self) -> None:
        """Frees what a session leaves, and returns the memory to the system."""
        if self._own:
            with self._busy:
                gc.collect()
        trim_memory()

    def after_block(self, begun: float, block_s: float) -> None:
        """Collects if that is due, and the caller has the time.

        Args:
            begun: when the block was given, by ``time.perf_counter``.
            block_s: its length in seconds.
        """
        if self._control is None or not self._busy.acquire(blocking=False):
            return
        try:
            now = time.perf_counter()
            self._control.collect_if_due(now, begun + block_s - now)
        finally:
            self._busy.release()
