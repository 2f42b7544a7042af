"""Processes beside a live session: they get the time that it leaves, and report in JSON."""

from .command import CommandResult, CommandRunner
from .process import python_command, start_background

__all__ = ["CommandResult", "CommandRunner", "python_command", "start_background"]
