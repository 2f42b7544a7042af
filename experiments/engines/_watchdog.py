"""Keeps a worker from outliving its driver, and from taking the machine's memory.

A thread looks at both. Native code that never lets other threads run could keep it from looking,
so the system is asked for the same where it can: Linux ends the worker with its driver, and refuses
an allocation that is far beyond the limit before any of it is written.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, parent_process
from threading import Thread

from voicegraph.graph.machine import resident_bytes

OUT_OF_MEMORY_EXIT = 86
"""Exit code of a worker that took too much memory."""

_EVERY_S = 0.05
"""In this time a task can write a few hundred MB at most."""
_SLACK = 2
"""Address space may be so many times the resident memory: much of it is never written."""
_PR_SET_PDEATHSIG = 1


def end_with_driver() -> None:
    """Has the system kill this process when the thread of the driver that started it ends."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def limit_allocations(task_memory: int) -> None:
    """Has the system refuse allocations far beyond ``task_memory`` bytes, where it can.

    Drivers of GPUs reserve more address space than there is memory, so with one there is no limit.
    """
    if sys.platform != "linux":
        return
    import resource

    import torch

    if torch.cuda.is_available():
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _data_bytes() + _SLACK * task_memory
    if hard == resource.RLIM_INFINITY or wanted < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _data_bytes() -> int:
    """Private memory of this process that may be written, in bytes, as Linux counts it."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0


def watch(task_memory: int | None, note_end: Callable[[], object]) -> None:
    """Starts the thread.

    Args:
        task_memory: resident memory in bytes above which this process ends with
            :data:`OUT_OF_MEMORY_EXIT`; None if there is no limit.
        note_end: called just before that.
    """
    Thread(target=_watch, args=(task_memory, note_end), name="watchdog", daemon=True).start()


def _watch(task_memory: int | None, note_end: Callable[[], object]) -> None:
    driver = parent_process()
    while True:
        if driver is None:
            time.sleep(_EVERY_S)
        elif connection.wait([driver.sentinel], _EVERY_S):
            os._exit(1)
        if task_memory is not None and _resident() > task_memory:
            with suppress(Exception):
                note_end()
            os._exit(OUT_OF_MEMORY_EXIT)


def _resident() -> int:
    """Resident memory in bytes; the most there ever was, where asking for that is quicker."""
    if sys.platform in ("linux", "win32"):
        return resident_bytes() or 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
