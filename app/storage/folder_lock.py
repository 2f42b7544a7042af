"""Locks of folders: who works in one holds its lock, and loses it when its process ends.

So nothing that a killed process wrote about itself has to be believed: a folder that says that
work goes on, and whose lock is free, tells of a process that is gone.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

_NAME = ".lock"


class FolderLock:
    """The lock of a folder that exists.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / _NAME, thread_local=False)

    def take(self, wait_s: float = 0.0) -> bool:
        """Takes it; False if another process, or another object here, keeps it for that long.

        False, too, if the folder was removed: it must not come back to be locked.
        """
        if not self._folder.is_dir():
            return False
        try:
            self._lock.acquire(timeout=wait_s)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Gives it back. Safe to call twice."""
        self._lock.release()


def is_locked(folder: Path) -> bool:
    """Whether somebody works in a folder; False if it is gone."""
    if not (folder / _NAME).exists():
        return False
    lock = FolderLock(folder)
    try:
        free = lock.take()
    except OSError:  # removed in this moment
        return False
    if free:
        lock.release()
    return not free and folder.is_dir()
