"""PyTorch's thread count: set while sessions that ask for one are open, and restored afterwards.

PyTorch has one thread count for the whole process. The newest open session that asks for a count
sets it; when it closes, the session opened before it does, and after the last one the original
count is restored. A session that is garbage-collected without being closed releases its count.
"""

from __future__ import annotations

import weakref
from threading import RLock

import torch

_lock = RLock()  # garbage collection may call release() in the middle of claim()
_claims: dict[int, int] = {}
_before = 0


def set_here(threads: int) -> None:
    """Sets the count of the calling thread, and of threads that start later.

    A thread takes the common count when it first asks for it. It asks here, or it would do so after
    this, and forget the count that is set.
    """
    torch.get_num_threads()
    torch.set_num_threads(threads)


def claim(owner: object, threads: int) -> None:
    """Sets the thread count until :func:`release` is called or ``owner`` is garbage-collected."""
    global _before
    with _lock:
        if not _claims:
            _before = torch.get_num_threads()
        _claims[id(owner)] = threads
        set_here(threads)
    weakref.finalize(owner, _release, id(owner)).atexit = False


def release(owner: object) -> None:
    """Ends a claim; does nothing if ``owner`` has none."""
    _release(id(owner))


def _release(owner: int) -> None:
    with _lock:
        if _claims.pop(owner, None) is not None:
            torch.set_num_threads([_before, *_claims.values()][-1])
