"""Imports with pauses: a thread beside a running engine imports packages for new nodes.

An import of some hundred modules (SciPy) computes in the interpreter for a second or two. The
engine needs the interpreter lock after every operation and would get it late each time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Pauses(MetaPathFinder):
    """Finds no module, but is asked before every one."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        self._pause = pause
        self._thread = threading.get_ident()
        self._resumed = time.thread_time()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Pauses, if the thread that made this finder imports."""
        if threading.get_ident() == self._thread:
            self._pause(time.thread_time() - self._resumed)
            self._resumed = time.thread_time()
        return None


@contextmanager
def paced_imports(pause: Callable[[float], None]) -> Iterator[None]:
    """Inside the block, imports of the calling thread pause before every module.

    Args:
        pause: called with the seconds that the thread has computed since the last pause.
    """
    finder = _Pauses(pause)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
