"""A file as a decoder should see it: another header before a part of its bytes."""

from __future__ import annotations

import io
import os
from pathlib import Path

from ...regular_file import open_regular_unbuffered


class ByteView(io.RawIOBase):
    """Reads ``head``, then the bytes ``[start, end)`` of a file.

    Args:
        path: the file.
        head: bytes that stand in place of its own header.
        start: first byte of the file that is seen.
        end: the byte after the last one.
        pretend: bytes that it says to have in addition. The MP3 decoder guesses the length of a
            stream by its size, reads no further, and has to guess too much.

    Attributes:
        interrupted: Ctrl-C came while a decoder was reading. An exception cannot pass through the
            decoder, so whoever reads has to raise it.

    Raises:
        OSError: if the file cannot be opened.
    """

    def __init__(self, path: Path, head: bytes, start: int, end: int, *, pretend: int = 0) -> None:
        super().__init__()
        self._file = open_regular_unbuffered(path)
        self._head = head
        self._start = start
        self._size = len(head) + end - start
        self._pretend = pretend
        self._at = 0
        self.interrupted = False

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fills the buffer as far as there are bytes: a decoder takes less for the end."""
        while True:
            try:
                return self._fill(buffer)
            except KeyboardInterrupt:
                self.interrupted = True
            except OSError:
                return 0  # the decoder reports a short read

    def _fill(self, buffer: memoryview) -> int:
        count = max(0, min(len(buffer), self._size - self._at))
        first = self._head[self._at : self._at + count]
        buffer[: len(first)] = first
        done = len(first)
        if done < count:
            self._file.seek(self._start + self._at + done - len(self._head))
        while done < count:
            piece = self._file.read(count - done)
            if not piece:
                break
            buffer[done : done + len(piece)] = piece
            done += len(piece)
        self._at += done
        return done

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves the position, which may lie beyond the end."""
        end = self._size + self._pretend if offset >= 0 else self._size  # tags are at its real end
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        self._file.close()
        super().close()
