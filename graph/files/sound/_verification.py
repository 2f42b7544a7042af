"""Verifies that a file is complete: some encoders hide the error of their last write."""

from __future__ import annotations

import struct
from pathlib import Path

import soundfile

from .formats import Format

_TAG_REACH = 64
"""Bytes to search: the Xing tag follows the header and side information of the first frame."""
_HAS_BYTES = 2


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
    if encoding.container == "MP3":
        declared, found, unit = _mpeg_bytes(path), path.stat().st_size, "bytes"
    else:
        declared, found, unit = frames, soundfile.info(str(path)).frames, "samples"
    # More is possible: an interrupt may come between writing and counting.
    if declared is None or found >= declared:
        return None
    return f"only {found} of {declared} {unit} were written"


def _mpeg_bytes(path: Path) -> int | None:
    """The file size that the encoder's Xing tag declares."""
    with path.open("rb") as file:
        head = file.read(_TAG_REACH + 16)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0 or len(head) < at + 16:
        return None
    flags, _, size = struct.unpack_from(">III", head, at + 4)
    return size if flags & _HAS_BYTES else None
