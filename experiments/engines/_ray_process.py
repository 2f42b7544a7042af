"""What Ray does to the process that uses it, undone: signal handlers, and lines on the terminal."""

from __future__ import annotations

import importlib
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def kept_signals() -> Iterator[None]:
    """Keeps this process's handlers of signals: Ray installs one of its own for SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def silence() -> None:
    """Keeps Ray from printing paragraphs about workers that ended: they are events of a run.

    There is no setting for it; without this hook of Ray's they would only appear again.
    """
    with suppress(ImportError, AttributeError):
        worker: Any = importlib.import_module("ray._private.worker")
        if callable(worker.print_to_stdstream):
            worker.print_to_stdstream = _say_nothing


def temporary_folder() -> Path:
    """A folder for sockets and logs of a cluster of our own.

    Names of sockets may have about 100 characters, and macOS has long ones for temporary folders.
    """
    return Path(tempfile.mkdtemp(prefix="vg-ray-", dir="/tmp" if os.name == "posix" else None))


def _say_nothing(*_args: object, **_kwargs: object) -> None:
    pass
