"""Reads files into memory that nobody else can change.

Model files are never mapped: whoever overwrites a mapped file in place (``cp new.index old.index``)
changes what was checked already, and whoever truncates it kills the process by SIGBUS. So what is
checked is read once, and these bytes are used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..file_contents import Version, file_version
from ..machine import memory_bytes
from ..regular_file import open_regular_unbuffered
from .file_errors import FormatError, unreadable

PART = 1 << 26
"""Bytes per read; some systems refuse more than 2 GiB at once."""


def read_private(path: Path, start: int, size: int) -> np.ndarray:
    """Reads ``size`` bytes of a file from ``start`` on: uint8 ``[size]``.

    Raises:
        WeightsError: if the file cannot be read or changed meanwhile, or would take more than half
            of this machine's memory.
    """
    try:
        with open_regular_unbuffered(path) as file:
            before = version(file)
            found = _read(file, start, size)
            if version(file) != before:
                raise changed()
            return found
    except FormatError as refused:
        raise refused.at(path) from None
    except OSError as error:
        raise unreadable(path, error) from None


def version(file: BinaryIO) -> Version:
    """The version of an open file."""
    return file_version(os.fstat(file.fileno()))


def changed(text: str = "it changed while it was read") -> FormatError:
    """The error for a file that was written to while it was read."""
    return FormatError("file-changed", text, "start again")


def read_into(file: BinaryIO, view: memoryview) -> bool:
    """Fills ``view`` from the file's position on; False if the file ends before."""
    at = 0
    while at < len(view):
        count = file.readinto(view[at : at + PART])  # pyright: ignore[reportAttributeAccessIssue]
        if not count:
            return False
        at += count
    return True


def _read(file: BinaryIO, start: int, size: int) -> np.ndarray:
    memory = memory_bytes()
    if memory is not None and size > memory // 2:
        raise _too_large(size, f"more than half of {memory / 1e9:.3g} GB")
    try:
        found = np.empty(size, np.uint8)
    except MemoryError:
        raise _too_large(size, "more than there is") from None
    file.seek(start)
    if not read_into(file, found.data):
        raise changed()
    return found


def _too_large(size: int, than: str) -> FormatError:
    text = f"it would take {size / 1e9:.3g} GB of memory, {than}"
    return FormatError("file-too-large", text, "use a smaller one, or a machine with more memory")
