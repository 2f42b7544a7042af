"""Errors of calls through the C interface, beside those that voicegraph itself raises.

Their codes are those of ``voicegraph.h``; the codes of other errors are their exit codes.
"""

from __future__ import annotations

from voicegraph.graph.errors import Problem, VoicegraphError


class ArgumentError(VoicegraphError):
    """An argument cannot be right: a negative count, text that is not UTF-8."""

    exit_code = 20


class HandleError(VoicegraphError):
    """The handle is closed, or was never one."""

    exit_code = 21


class FramesError(VoicegraphError):
    """The number of frames is not that of a block."""

    exit_code = 22


class NotLoadedError(VoicegraphError):
    """An RVC handle without models."""

    exit_code = 23


def argument_error(message: str, fix: str | None = None) -> ArgumentError:
    """The error of an argument that cannot be right."""
    return ArgumentError(Problem("argument", message, fix=fix))
