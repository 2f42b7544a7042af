"""Returns memory that the C library's allocator keeps free to the system.

An engine that was replaced leaves its memory to the allocator. glibc has a heap for every few
threads, and returns only what lies at a heap's end: hot swap by hot swap the process grew by some
kilobytes. Elsewhere the allocator does that by itself.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


@cache
def _malloc_trim() -> Any:
    """The function of glibc; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none


def trim_memory() -> bool:
    """Returns free memory to the system; takes a millisecond, and locks one heap after another.

    Returns:
        Whether this C library can do that.
    """
    trim = _malloc_trim()
    if trim is None:
        return False
    trim(ctypes.c_size_t(0))
    return True
