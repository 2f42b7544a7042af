"""Walks the chunks of RIFF, RF64, AIFF, CAF and Wave64 files."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_NAME = re.compile(rb"[A-Za-z0-9_()\xa9][A-Za-z0-9_() .\-]{3}")
"""Four characters that name a chunk; samples hardly ever look like several of them in a row."""
_W64_GUIDS = (
    bytes.fromhex("f3acd3118cd100c04f8edb8a"),  # wave, fmt, fact, data, levl, bext
    bytes.fromhex("9166cf11a5d628db04c10000"),  # list, riff, junk
    bytes.fromhex("2f91cf11a5d628db04c10000"),
)
_TAIL = 1 << 20
"""Bytes at the end of a file that are searched for chunks behind the samples."""
_FARTHEST = (1 << 63) - 1
"""No file has a later position."""
_MOST = 4096
"""Chunks that a file may have before its samples."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk.

    Attributes:
        name: four letters.
        at: position of its header.
        start: position of its content.
        size: bytes of content that the header declares, unsigned.
    """

    name: bytes
    at: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class ChunkFamily:
    """How a container writes its chunks.

    Attributes:
        first: position of the first chunk.
        order: byte order of sizes, as :mod:`struct` writes it.
        wide: sizes have 64 bits.
        guids: names have 16 bytes, and sizes count the header.
        align: chunks begin at multiples of this.
        samples: name of the chunk with the samples.
    """

    first: int
    order: str
    wide: bool
    guids: bool
    align: int
    samples: bytes

    @property
    def header(self) -> int:
        """Bytes of a chunk's header."""
        return (16 if self.guids else 4) + (8 if self.wide else 4)

    def pack(self, size: int) -> bytes:
        """A size as it is written, of a chunk's content."""
        return struct.pack(f"{self.order}{'Q' if self.wide else 'I'}", size + self._counted)

    @property
    def _counted(self) -> int:
        return self.header if self.guids else 0

    def read(self, file: BinaryIO, at: int) -> Chunk | None:
        """The chunk at a position; None if there is none."""
        if at > _FARTHEST:
            return None
        file.seek(at)
        data = file.read(self.header)
        if len(data) < self.header or not _NAME.match(data):
            return None
        if self.guids and data[4:16] not in _W64_GUIDS:
            return None
        code = f"{self.order}{'Q' if self.wide else 'I'}"
        size = struct.unpack_from(code, data, 16 if self.guids else 4)[0]
        return Chunk(data[:4], at, at + self.header, max(size - self._counted, 0))

    def padded(self, end: int) -> int:
        """Where the next chunk begins if one ends at ``end``."""
        return end + -(end - self.first) % self.align

    def walk(self, file: BinaryIO, at: int) -> Iterator[Chunk]:
        """The chunks from a position on, until what follows is none.

        Some programs leave out the padding of a chunk with an odd size; that is tolerated.
        """
        for _ in range(_MOST):
            chunk = self.read(file, at)
            if chunk is None:
                return
            yield chunk
            end = chunk.start + chunk.size
            at = self.padded(end)
            if at != end and self.read(file, at) is None and self.read(file, end) is not None:
                at = end

    def walked(self, file: BinaryIO, at: int, size: int) -> int:
        """How far chunks follow one another from a position on; ``size`` if they fill the file."""
        for chunk in self.walk(file, at):
            end = chunk.start + chunk.size
            if end > size:
                return at
            at = min(self.padded(end), size)
        return at

    def tail(self, file: BinaryIO, start: int, size: int) -> int:
        """Where the chunks begin that fill the end of a file; ``size`` if there are none."""
        begin = max(start, size - _TAIL)
        file.seek(begin)
        data = file.read(size - begin)
        for found in _KNOWN.finditer(data):
            at = begin + found.start()
            if self.walked(file, at, size) == size:
                return at
        return size


_KNOWN = re.compile(
    rb"LIST|list|id3 |ID3 |bext|fact|cue |smpl|inst|PEAK|iXML|axml|chna|JUNK|junk|FLLR|cart|_PMX|"
    rb"COMM|MARK|INST|NAME|ANNO|AUTH|COMT|APPL|CHAN|MIDI|SAUR|umid|minf|levl|info|free|peak|strg"
)
"""Names of chunks that programs write after the samples."""
