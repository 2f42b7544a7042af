"""Reads serialised FAISS data with bounds checks."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np


class MalformedError(Exception):
    """The bytes are not a valid index; the text says why, and follows a file name in messages."""


class Cursor:
    """A position in a serialised index.

    Args:
        file: open for reading in binary.
        start: where the index begins in it.
        size: its size in bytes.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self.size = size
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes from the position to the end."""
        return self.size - self.position

    def take(self, layout: str) -> tuple:
        """Little-endian values by a format of ``struct``, without padding."""
        return struct.unpack(f"<{layout}", self._bytes(struct.calcsize(f"<{layout}")))

    def code(self) -> str:
        """The four-character code of the next object."""
        return self._bytes(4).decode("latin-1")

    def count(self, width: int, what: str) -> int:
        """The length of the next array, whose values of ``width`` bytes must follow."""
        (count,) = self.take("Q")
        self.need(count * width, what)
        return count

    def need(self, nbytes: int, what: str) -> None:
        """Checks that ``nbytes`` bytes follow."""
        if nbytes > self.left:
            raise MalformedError(
                f"it ends too early: its {what} would take {_bytes(nbytes)}, but "
                f"{_bytes(self.left)} follow"
            )

    def skip(self, nbytes: int, what: str) -> None:
        """Skips bytes."""
        self.need(nbytes, what)
        self.position += nbytes

    def skip_array(self, width: int, what: str, expected: int | None = None) -> int:
        """Skips an array with its length, which must be ``expected`` if that is given."""
        count = self.count(width, what)
        if expected is not None and count != expected:
            raise MalformedError(f"it has {count} {what} where {expected} belong")
        self.position += count * width
        return count

    def array(self, dtype: str, what: str) -> np.ndarray:
        """Reads an array with its length."""
        return self.values(dtype, self.count(np.dtype(dtype).itemsize, what))

    def values(self, dtype: str, count: int) -> np.ndarray:
        """Reads ``count`` values."""
        kind = np.dtype(dtype)
        return np.frombuffer(self._bytes(count * kind.itemsize), kind)

    def _bytes(self, count: int) -> bytes:
        self.need(count, "header")
        found = self._read(self.position, count)
        if len(found) < count:
            raise MalformedError("it became shorter while it was read")
        self.position += count
        return found

    def _read(self, position: int, count: int) -> bytes:
        self._file.seek(self._start + position)
        return self._file.read(count)


class MemoryCursor(Cursor):
    """A position in a serialised index in memory: uint8 ``[bytes]``."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data
        self.size = data.size
        self.position = 0

    def _read(self, position: int, count: int) -> bytes:
        return self._data[position : position + count].tobytes()


def _bytes(count: int) -> str:
    return f"{count} bytes" if count < 10**9 else f"{count / 1e9:.3g} GB"
