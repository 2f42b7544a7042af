"""Processes beside a live session: they get the time that it leaves, and report to ours."""

from .call_process import CallProcess, Calls
from .call_server import serve_calls
from .command import CommandResult, CommandRunner
from .errors import BackgroundError
from .process import how_it_ended, python_command, start_background

__all__ = [
    "BackgroundError",
    "CallProcess",
    "Calls",
    "CommandResult",
    "CommandRunner",
    "how_it_ended",
    "python_command",
    "serve_calls",
    "start_background",
]
