"""Verifies that a file is complete: some encoders hide the error of their last write."""

from __future__ import annotations

from pathlib import Path

import soundfile

from ._frame_headers import xing
from .formats import Format

_HEAD = 80
"""Bytes that hold the encoder's tag."""


def shortfall(path: Path, encoding: Format, frames: int) -> str | None:
    """Compares the headers of a finished file with what was written to it.

    Args:
        path: the file, closed.
        encoding: how it was written.
        frames: samples per channel that were written.

    Returns:
        What is missing, as text; None if the file is complete.

    Raises:
        soundfile.SoundFileError: if the file cannot be opened.
        OSError: if it cannot be read.
    """
    declared, found, unit = frames, 0, "samples"
    if encoding.container == "MP3" and (tagged := _mpeg_bytes(path)) is not None:
        declared, found, unit = tagged, path.stat().st_size, "bytes"
    else:
        found = _frames(path)
    # More is possible: an interrupt may come between writing and counting.
    if found >= declared:
        return None
    return f"only {found} of {declared} {unit} were written"


def _mpeg_bytes(path: Path) -> int | None:
    """The file size that the encoder's Xing tag declares."""
    with path.open("rb") as file:
        found = xing(file.read(_HEAD))
    return found.size if found else None


def _frames(path: Path) -> int:
    """Opened here, since the library cannot open a name that is no text."""
    with path.open("rb") as file:
        return soundfile.info(file).frames
