"""The process's thread count for numeric work: set while sessions are open, then as it was.

PyTorch has one count for the whole process. Of several open sessions that ask for one, the newest
decides; when it closes the one before it does, and when none is left the count is what it was. A
session that is forgotten without being closed counts no more once it is collected.
"""

from __future__ import annotations

import weakref
from threading import RLock

import torch

_lock = RLock()  # a collection may call release() in the middle of claim()
_claims: dict[int, int] = {}
_before = 0


def claim(owner: object, threads: int) -> None:
    """Sets the count for as long as ``owner`` lives and does not :func:`release` it."""
    global _before
    with _lock:
        if not _claims:
            _before = torch.get_num_threads()
        _claims[id(owner)] = threads
        torch.set_num_threads(threads)
    weakref.finalize(owner, _give_back, id(owner)).atexit = False


def release(owner: object) -> None:
    """Gives the claim back; does nothing where there is none."""
    _give_back(id(owner))


def _give_back(owner: int) -> None:
    with _lock:
        if _claims.pop(owner, None) is not None:
            torch.set_num_threads([_before, *_claims.values()][-1])
