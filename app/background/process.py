"""Starts processes of our own Python at low priority, in sessions of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from .priority import LOWEST, lower_priority


def python_command(arguments: Sequence[str]) -> list[str]:
    """Our Python with arguments; it takes no modules from the current folder."""
    return [sys.executable, "-P", *arguments]


def start_low(arguments: Sequence[str], nice: int, **options: Any) -> subprocess.Popen[bytes]:
    """Starts our Python with arguments; Ctrl-C in our terminal does not reach it.

    Args:
        arguments: such as ``-m`` and a module.
        nice: its priority; see ``priority.py``.
        options: of ``subprocess.Popen``; without ``stdin`` it gets no input.

    Raises:
        OSError: if it cannot be started.
    """
    if sys.platform == "win32":
        options["creationflags"] = (
            subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.CREATE_NO_WINDOW
            | (subprocess.BELOW_NORMAL_PRIORITY_CLASS if nice else 0)
        )
    else:
        options["start_new_session"] = True
    options.setdefault("stdin", subprocess.DEVNULL)
    command = python_command(arguments)
    process = cast("subprocess.Popen[bytes]", subprocess.Popen(command, **options))
    if nice:
        lower_priority(process.pid, nice)
    return process


def start_background(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts our Python with arguments, so that it lives on when this process ends.

    Args:
        arguments: such as ``-m`` and a module.
        log: file for what it prints; replaced.

    Raises:
        OSError: if the file cannot be written, or the process not be started.
    """
    with log.open("wb") as file:
        return start_low(arguments, LOWEST, stdout=file, stderr=subprocess.STDOUT)


def how_it_ended(code: int | None) -> str:
    """How a process ended, as a phrase: ``was ended by signal 9``.

    Args:
        code: as of ``Popen.poll``; None if it is not known.
    """
    if code is None:
        return "ended"
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
