"""Tells whether a recording is being written: its events file is locked until then.

The lock belongs to the open file, so that it is free when the writer has finished all files, and
also when its process was killed.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from ...regular_file import open_regular_unbuffered

_TRIES = 20
_PAUSE_S = 0.005
"""Somebody who asks holds the lock for a moment."""
_PLACE = 1 << 40
"""Windows locks bytes, and nobody else may read them: this one lies behind every file's end."""


def lock_while_open(descriptor: int) -> None:
    """Locks an events file that was just opened for writing, until it is closed.

    A file system without locks leaves it as it is: then nobody can be told that it is written.
    """
    for _ in range(_TRIES):
        try:
            _lock(descriptor, shared=False)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        except OSError:
            return
        else:
            return


def is_being_written(path: Path) -> bool:
    """Whether somebody writes the recording with this events file; False if it is gone."""
    try:
        with open_regular_unbuffered(path) as file:
            _lock(file.fileno(), shared=True)
            _unlock(file.fileno())
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, shared: bool) -> None:  # noqa: ARG001  (Windows has one kind)
        """Raises BlockingIOError if another one has it."""
        _at_place(descriptor, msvcrt.LK_NBLCK)

    def _unlock(descriptor: int) -> None:
        _at_place(descriptor, msvcrt.LK_UNLCK)

    def _at_place(descriptor: int, mode: int) -> None:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, mode, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from None
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool) -> None:
        """Raises BlockingIOError if another one has it."""
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        with suppress(OSError):  # it goes with the file
            fcntl.flock(descriptor, fcntl.LOCK_UN)
