"""OpenMP threads that a session's set-up leaves behind: ended, so that blocks are not slowed down.

libgomp keeps a pool of threads for every thread that has computed in parallel. Once the pools
together have more threads than there are processors, it no longer lets waiting threads spin: they
sleep at every barrier and must be woken, which takes longer than many an operation. A session that
is set up on one thread and processes on another, as live sessions do, would run so for ever; blocks
of an RVC voice took 1.5 times as long on two cores.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch

_SOFT = 1  # omp_pause_soft of OpenMP 5.0: the next parallel region starts a new pool


def end_idle_threads() -> None:
    """Ends the pool of the calling thread; a later operation starts it anew.

    Does nothing where PyTorch uses another OpenMP runtime than its own libgomp: those share one
    pool among all threads.
    """
    pause = _pause()
    if pause is not None:
        pause(_SOFT)


@cache
def _pause() -> Callable[[int], int] | None:
    """``omp_pause_resource_all`` of the libgomp that comes with PyTorch on Linux."""
    found = next((Path(torch.__file__).parent / "lib").glob("libgomp*.so*"), None)
    if found is None:
        return None
    try:
        return ctypes.CDLL(str(found)).omp_pause_resource_all  # the loaded one: it is one file
    except (OSError, AttributeError):
        return None  # unreadable, or older than OpenMP 5.0
