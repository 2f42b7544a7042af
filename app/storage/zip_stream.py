"""A ZIP archive as a stream, without a file and without holding more than a part of it."""

from __future__ import annotations

import os
import stat
import time
import zipfile
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, cast

from voicegraph.graph.regular_file import open_regular_unbuffered

_CHUNK = 1 << 18
_FIRST_YEAR, _LAST_YEAR = 1980, 2107
"""Years that the format can state."""


class _Pipe:
    """Takes what ``zipfile`` writes; it cannot seek, so that sizes follow the data."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def zip_chunks(files: Iterable[tuple[str, Path]]) -> Generator[bytes]:
    """The bytes of an archive, part by part. Sound is stored as it is: it hardly gets smaller.

    Args:
        files: names in the archive, and the files.

    Raises:
        OSError: if a file is gone or cannot be read; the archive is not complete then.
    """
    pipe = _Pipe()
    with zipfile.ZipFile(cast("Any", pipe), "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            with open_regular_unbuffered(path) as source:
                about = os.fstat(source.fileno())
                with archive.open(_entry(name, about), "w") as entry:
                    while data := source.read(_CHUNK):
                        entry.write(data)
                        yield pipe.take()
    yield pipe.take()


def _entry(name: str, about: os.stat_result) -> zipfile.ZipInfo:
    moment = time.localtime(about.st_mtime)
    year = min(max(moment.tm_year, _FIRST_YEAR), _LAST_YEAR)
    entry = zipfile.ZipInfo(name, (year, *moment[1:6]))
    entry.file_size = about.st_size  # decides whether sizes of more than 32 bits are needed
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
