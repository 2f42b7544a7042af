"""Runs the terminal screen of a live session; needs Textual (the extra ``live``)."""

from __future__ import annotations

import sys
from typing import TextIO

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.live.protocol import ShownSession
from voicegraph.graph.optional_packages import missing_package
from voicegraph.graph.terminal_text import printable

from .line_output import PlainLines, until_stopped

_CLOSING_S = 0.5
"""How long a command that is running may hold up the end, in seconds."""
_LAST = 8
"""How many messages are printed when the screen has closed."""


def require_textual() -> None:
    """Imports the screen: call it before the session starts.

    The import takes some tenths of a second and would cause overruns beside a running engine.

    Raises:
        VoicegraphError: if Textual is not installed.
    """
    try:
        from . import screen as app  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        instead = "run without the screen: --plain"
        problem = missing_package("the screen", "textual", extra="live", instead=instead)
        raise VoicegraphError(problem) from None


def run_screen(live: ShownSession, stream: TextIO | None = None) -> None:
    """Shows a session in the terminal and handles keys until it has stopped.

    Args:
        live: the session.
        stream: receives the last messages when the screen has closed; standard output if None.

    Raises:
        VoicegraphError: if Textual is not installed; the session is stopped.
    """
    with until_stopped(live):
        require_textual()
        from .screen import LiveScreen

        screen = LiveScreen(live)
        screen.run(mouse=False)
        live.request_stop()
        for queue in (screen.commands, screen.slow_commands):
            queue.wait(_CLOSING_S)
    out = stream or sys.stdout
    newest = PlainLines(1.0).update(live.status())[-_LAST - 1 :]
    out.writelines(f"{printable(line)}\n" for line in newest)
    out.flush()
