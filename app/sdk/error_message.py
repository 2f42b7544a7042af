"""Errors as the C interface has them: a code and a sentence of at most 511 bytes."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from voicegraph.graph.errors import VoicegraphError

MESSAGE_SIZE = 512
"""Bytes of ``vg_error.message`` with the zero at the end: ``VG_MESSAGE_SIZE`` of the header."""
_OTHER = 1
_CUT = " ..."


def code_and_text(error: BaseException) -> tuple[int, str]:
    """The code of an error and its text; one that voicegraph did not expect names its place."""
    if isinstance(error, VoicegraphError):
        return error.exit_code, str(error)
    if isinstance(error, MemoryError):
        return _OTHER, f"out of memory{f': {error}' if str(error) else ''}"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return _OTHER, f"an unexpected error of voicegraph: {type(error).__name__}{where}: {error}"


def message_bytes(text: str) -> bytes:
    r"""A text as UTF-8 for ``vg_error.message``, with the zero at its end.

    What does not fit is cut between two characters, and dots say so. Bytes of file names that are
    no text are written as ``\udcff``; a zero within the text would end it in C, and is left out.
    """
    whole = text.replace("\0", "").encode("utf-8", "backslashreplace")
    if len(whole) < MESSAGE_SIZE:
        return whole + b"\0"
    room = MESSAGE_SIZE - 1 - len(_CUT)
    kept = whole[:room].decode("utf-8", "ignore").rstrip()
    return (kept + _CUT).encode() + b"\0"
