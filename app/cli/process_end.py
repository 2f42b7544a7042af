"""Ends the process although a thread hangs.

Python waits for threads of executors before it exits, and a hung driver can crash it as it tidies
up. Commands that have done their work, but know of such a thread, leave without either.
"""

from __future__ import annotations

import os
import sys

_hung = False


def expect_hung_threads() -> None:
    """Notes that threads hang: the process must not wait for them at its end."""
    global _hung
    _hung = True


def end_process(code: int) -> int:
    """Ends the process if threads hang; returns the exit code otherwise."""
    if _hung:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
    return code
