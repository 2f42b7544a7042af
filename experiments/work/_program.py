"""Runs a program of others: in a session of its own, which ends with this process.

Ctrl-C at the terminal is for the driver: a program that got it, too, would fail for no reason of
its own. And one that hangs would go on for ever after its worker was ended.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_NEW_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
"""Ctrl-C is for groups of processes."""


def run_program(
    words: Sequence[str], folder: Path, timeout_s: float | None
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end.

    Args:
        words: program and arguments.
        folder: in which it runs.
        timeout_s: after which it is ended, with what it started.

    Raises:
        TimeoutExpired: if it did not end by itself.
        OSError: if it cannot be started.
    """
    with subprocess.Popen(
        words,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=sys.platform != "win32",
        creationflags=_NEW_GROUP,
        preexec_fn=_end_with_parent(),
    ) as process:
        try:
            said, complained = process.communicate(timeout=timeout_s)
        except BaseException:  # late, or Ctrl-C in an engine of one process
            _end(process)
            raise
    return subprocess.CompletedProcess(words, process.returncode, said, complained)


def staged(files: Mapping[Path, Path], folder: Path, target: Path) -> None:
    """Lays files of a folder of another machine out as they lie there.

    Args:
        files: where each is on this machine, by its path there.
        folder: on the other machine; files outside of it are left out.
        target: where to lay them out.
    """
    for there, here in files.items():
        if there.is_relative_to(folder):
            place = target / there.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here, place)


def _end_with_parent() -> Callable[[], object] | None:
    """What Linux is to be asked in the new process; other systems cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        prctl = ctypes.CDLL(None).prctl  # looked up here: little may be done after the fork
    except (OSError, AttributeError):
        return None
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # with what it has started
