"""Processes by number and time of their start: numbers are used again."""

from __future__ import annotations

from contextlib import suppress

import psutil

_TOLERANCE_S = 1.0
"""Systems count a process's start from the boot, whose time a clock that is set changes."""


def started_at(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None if it does not run (any more)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_running(pid: int | None, started: float | None) -> bool:
    """Whether that very process runs, and no other that got its number later."""
    if pid is None or started is None:
        return False
    now = started_at(pid)
    return now is not None and abs(now - started) < _TOLERANCE_S


def end_process(pid: int, started: float, *, force: bool) -> None:
    """Asks a process to end, or kills it; nothing if it has ended."""
    if not is_running(pid, started):
        return
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        process.kill() if force else process.terminate()
