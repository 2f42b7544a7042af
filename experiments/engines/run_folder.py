"""The folder of a run, which one driver at a time may use."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.files.atomic_write import cannot_write, write_text

LOCK = ".lock"
DRIVER = ".driver.json"
"""Names the process that holds the lock; the lock itself cannot be read on Windows."""


@contextmanager
def locked(folder: Path, other: str = "--out DIR") -> Iterator[None]:
    """Holds the lock of a run's folder, which is made if it is not there.

    The system takes the lock back when the process ends, however it ends.

    Args:
        folder: of the run.
        other: the option that names another folder.

    Raises:
        OutputError: if another process holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise _in_use(folder, other) from None
    except OSError as error:
        raise cannot_write(folder / LOCK, error) from None
    try:
        write_text(folder / DRIVER, _this_driver(), force=True)
        yield
    finally:
        lock.release()


def _this_driver() -> str:
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"host": socket.gethostname(), "process": os.getpid(), "begun": begun})


def _in_use(folder: Path, other: str) -> OutputError:
    try:
        found = json.loads((folder / DRIVER).read_text(encoding="utf-8"))
        who = f"process {found['process']} on {found['host']} since {found['begun']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    fix = f"wait until it ends, or give another folder: {other}"
    return OutputError(Problem("in-use", f"{folder} is in use by {who}", fix=fix))
