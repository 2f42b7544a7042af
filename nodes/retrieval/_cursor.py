"""Reads what FAISS has written, never beyond its end."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np


class MalformedError(Exception):
    """The bytes are no sound index; the text says why, and goes on after a file's name."""


class Cursor:
    """A place in a serialised index.

    Args:
        file: open for reading in binary.
        start: where the index begins in it.
        size: how many bytes it has.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self.size = size
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes that follow."""
        return self.size - self.position

    def take(self, layout: str) -> tuple:
        """Little-endian values by a format of ``struct``, without padding."""
        return struct.unpack(f"<{layout}", self._bytes(struct.calcsize(f"<{layout}")))

    def code(self) -> str:
        """The four characters that say what follows."""
        return self._bytes(4).decode("latin-1")

    def count(self, width: int, what: str) -> int:
        """The number that stands before an array, whose values of ``width`` bytes must follow."""
        (count,) = self.take("Q")
        self.need(count * width, what)
        return count

    def need(self, nbytes: int, what: str) -> None:
        """Checks that so many bytes follow."""
        if nbytes > self.left:
            raise MalformedError(
                f"it ends too early: its {what} would take {_bytes(nbytes)}, but "
                f"{_bytes(self.left)} follow"
            )

    def skip(self, nbytes: int, what: str) -> None:
        """Passes over so many bytes."""
        self.need(nbytes, what)
        self.position += nbytes

    def skip_array(self, width: int, what: str, expected: int | None = None) -> int:
        """Passes over an array and its number of values, which must be ``expected``."""
        count = self.count(width, what)
        if expected is not None and count != expected:
            raise MalformedError(f"it has {count} {what} where {expected} belong")
        self.position += count * width
        return count

    def array(self, dtype: str, what: str) -> np.ndarray:
        """An array behind its number of values, read."""
        return self.values(dtype, self.count(np.dtype(dtype).itemsize, what))

    def values(self, dtype: str, count: int) -> np.ndarray:
        """So many values, read."""
        kind = np.dtype(dtype)
        return np.frombuffer(self._bytes(count * kind.itemsize), kind)

    def peek(self, dtype: str, most: int) -> np.ndarray:
        """Up to so many values that follow, without passing over them."""
        place = self.position
        found = self.values(dtype, min(most, self.left // np.dtype(dtype).itemsize))
        self.position = place
        return found

    def _bytes(self, count: int) -> bytes:
        self.need(count, "header")
        self._file.seek(self._start + self.position)
        found = self._file.read(count)
        if len(found) < count:
            raise MalformedError("it became shorter while it was read")
        self.position += count
        return found


def _bytes(count: int) -> str:
    return f"{count} bytes" if count < 10**9 else f"{count / 1e9:.3g} GB"
