"""A live session on a screen in a terminal, by Textual (the extra ``live``)."""

from __future__ import annotations

import sys
from typing import TextIO

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.live.protocol import LiveSessionProtocol
from voicegraph.graph.optional_packages import pip_install, requirement

from ._until_stopped import until_stopped
from .plain_output import PlainLines

_LAST = 8
"""Messages that stay on the terminal when the screen is gone."""


def require_textual() -> None:
    """Imports what the screen needs: call it before the session begins.

    It takes some tenths of a second, in which an engine beside it would come late.

    Raises:
        VoicegraphError: if Textual is not installed.
    """
    try:
        from . import screen as app  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        text = "the screen needs textual, which is not installed (it is part of the extra `live`)"
        install = pip_install("textual" + requirement("textual"))
        fix = f"{install}\nor go on without: --plain"
        raise VoicegraphError(Problem("missing-package", text, fix=fix)) from None


def run_screen(live: LiveSessionProtocol, stream: TextIO | None = None) -> None:
    """Shows a session on the terminal and takes keys, until it has ended.

    Args:
        live: the session.
        stream: takes the last messages, when the screen is gone; standard output if None.

    Raises:
        VoicegraphError: if Textual is not installed; the session is ended.
    """
    with until_stopped(live):
        require_textual()
        from .screen import LiveScreen

        screen = LiveScreen(live)
        screen.run(mouse=False)
        live.request_stop()
        screen.asking.wait()
    out = stream or sys.stdout
    out.writelines(f"{line}\n" for line in PlainLines(1.0).take(live.status())[-_LAST - 1 :])
    out.flush()
