"""Whether all that was written has arrived: some encoders swallow the error of a last write."""

from __future__ import annotations

import struct
from pathlib import Path

import soundfile

from .formats import Format

_TAG_REACH = 64
"""Bytes: the Xing tag stands behind the first frame's header and side information, 36 at most."""
_HAS_BYTES = 2


def shortfall(path: Path, encoding: Format, frames: int) -> str | None:
    """Compares a finished file with what was written to it; looks at headers only.

    Args:
        path: the file, closed.
        encoding: how it was written.
        frames: samples a channel that were written.

    Returns:
        What is missing, in words; None if nothing is.

    Raises:
        soundfile.SoundFileError: if the file cannot even be opened.
        OSError: as well.
    """
    if encoding.container == "MP3":
        declared, found, unit = _mpeg_bytes(path), path.stat().st_size, "bytes"
    else:
        declared, found, unit = frames, soundfile.info(str(path)).frames, "samples"
    # More is no harm: an interrupt may have come between writing and counting.
    if declared is None or found >= declared:
        return None
    return f"{found} of {declared} {unit} arrived"


def _mpeg_bytes(path: Path) -> int | None:
    """The size that the encoder's Xing tag declares (a fact of the LAME tag's layout)."""
    with path.open("rb") as file:
        head = file.read(_TAG_REACH + 16)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0 or len(head) < at + 16:
        return None
    flags, _, size = struct.unpack_from(">III", head, at + 4)
    return size if flags & _HAS_BYTES else None
