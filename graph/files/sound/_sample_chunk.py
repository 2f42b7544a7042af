"""Finds the samples of a file whose header lies about their number.

libsndfile believes sizes that are too small, and loses what follows; some sizes that are valid it
does not read at all (CAF of unknown length, BW64, an odd chunk without padding). Programs that are
killed leave sizes of 0, or those of an earlier moment.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...regular_file import open_regular
from ._chunks import Chunk, ChunkFamily

_STREAMED = 0x7FFFF000
"""Programs that write to a pipe do not know the length; they declare this many bytes or more."""
_STREAMED_64 = 1 << 62
_JUNK = 64
"""Bytes after the last chunk that are not worth a word: careless padding."""
_APPENDED = 4096
"""Bytes after a file whose sizes agree that some other program has appended."""
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")
_RIFF_LIMIT = (1 << 32) - (1 << 16)
_UNCOMPRESSED_CAF = (b"lpcm", b"ulaw", b"alaw")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True, slots=True)
class SampleChunk:
    """The samples of a file.

    Attributes:
        start: position of the first byte.
        end: position after the last byte.
        declared: bytes that the header declares; None if it does not say.
        head: header with which libsndfile reads all of them; None if it does with the file's own.
        second: another chunk of samples follows.
        unwritten: all sizes are 0, as programs leave them that write to a pipe or are stopped.
        unused: bytes after the samples that belong to nothing, and may be more samples.
    """

    start: int
    end: int
    declared: int | None
    head: bytes | None
    second: bool = False
    unwritten: bool = False
    unused: int = 0

    @property
    def held(self) -> int:
        """Bytes that the file holds."""
        return self.end - self.start


def find_sample_chunk(path: Path) -> SampleChunk | None:
    """The samples of a WAV, RF64, BW64, AIFF, AU, CAF or Wave64 file.

    Returns:
        None if the file is of another kind, or has no samples that could be found.

    Raises:
        OSError: if it cannot be read.
    """
    with open_regular(path) as file:
        head = file.read(40)
        size = file.seek(0, os.SEEK_END)
        if len(head) < 12:
            return None
        if head[:4] in (b".snd", b"dns."):
            return _au(file, head, size)
        family = _family(head)
        return None if family is None else _chunked(file, family, head, size)


def _family(head: bytes) -> ChunkFamily | None:
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return ChunkFamily(12, "<", False, False, 2, b"data")
    if head[:4] == b"RIFX" and head[8:12] == b"WAVE":
        return ChunkFamily(12, ">", False, False, 2, b"data")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return ChunkFamily(12, ">", False, False, 2, b"SSND")
    if head[:4] == b"caff":
        return ChunkFamily(8, ">", True, False, 1, b"data")
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return ChunkFamily(40, "<", True, True, 8, b"data")
    return None


def _au(file: BinaryIO, head: bytes, size: int) -> SampleChunk | None:
    order = ">" if head[:4] == b".snd" else "<"
    start, declared = struct.unpack_from(f"{order}II", head, 4)
    if not 24 <= start <= size:
        return None
    if declared >= _STREAMED and declared > size - start:
        return SampleChunk(start, size, None, None)
    if declared + _JUNK >= size - start:
        return SampleChunk(start, size, declared, None)
    file.seek(0)
    known = bytearray(file.read(start))
    struct.pack_into(f"{order}I", known, 8, min(size - start, 0xFFFFFFFF))
    return SampleChunk(start, size, declared, bytes(known))


def _chunked(file: BinaryIO, family: ChunkFamily, head: bytes, size: int) -> SampleChunk | None:
    before: list[Chunk] = []
    for chunk in family.walk(file, family.first):
        if chunk.name == family.samples:
            break
        before.append(chunk)
    else:
        return None
    contents = _contents(file, before)
    skip, declared = _declared(family, head, chunk, contents, size)
    if chunk.start + skip > size:
        return None
    start = chunk.start + skip
    whole = size if declared is None else min(start + declared, size)
    after = family.padded(whole)
    end = whole if declared is None or after >= size else _end(file, family, head, start, whole)
    second = any(one.name == family.samples for one in family.walk(file, after))
    as_is = (
        end == whole
        and not second
        and _reads_as_is(head, before, chunk, family, declared, size - start)
    )
    if not as_is:  # the layout of an AIFF file may follow its samples
        contents = {**_contents(file, family.walk(file, end)), **contents}
    made = None if as_is else _head(head, family, contents, end - start)
    unused = end - whole if made is None else 0  # the header cannot be made anew
    unwritten = declared is None and chunk.size == 0
    return SampleChunk(start, end - unused, declared, made, second, unwritten, unused)


def _contents(file: BinaryIO, chunks: Iterable[Chunk]) -> dict[bytes, bytes]:
    """What small chunks hold, by their names."""
    found: dict[bytes, bytes] = {}
    for chunk in chunks:
        if chunk.size < _APPENDED:
            file.seek(chunk.start)
            found.setdefault(chunk.name, file.read(chunk.size))
    return found


def _declared(
    family: ChunkFamily, head: bytes, chunk: Chunk, contents: dict[bytes, bytes], size: int
) -> tuple[int, int | None]:
    """Bytes before the first sample, and those of the samples by the header; None: unknown."""
    skip = {b"FORM": 8, b"caff": 4}.get(head[:4], 0)
    outer = struct.unpack_from(f"{family.order}I", head, 4)[0]
    declared = chunk.size
    if head[:4] in (b"RF64", b"BW64") and declared in (0, 0xFFFFFFFF) and b"ds64" in contents:
        outer, declared = struct.unpack_from("<QQ", contents[b"ds64"].ljust(16, b"\0"))
        if outer == declared == 0:  # as ffmpeg writes into a pipe
            return skip, None
    elif head[:4] == b"FORM" and outer == declared == 0:  # likewise
        return skip, None
    limit = _STREAMED_64 if declared > 0xFFFFFFFF else _STREAMED
    if declared >= limit and chunk.start + declared > size:
        return skip, None
    return skip, max(declared - skip, 0)


def _end(file: BinaryIO, family: ChunkFamily, head: bytes, start: int, whole: int) -> int:
    """Where the samples end, of which ``start`` to ``whole`` are declared."""
    size = file.seek(0, os.SEEK_END)
    after = family.padded(whole)
    # An odd chunk may have been written without padding.
    walked = max(family.walked(file, after, size), family.walked(file, whole, size))
    rest = size - walked
    if walked > after or rest <= _JUNK:
        return whole
    file.seek(after)
    if file.read(8).startswith(_TAGS):
        return whole
    outer = struct.unpack_from(f"{family.order}I", head, 4)[0] + 8
    if outer in (whole, after) and rest < _APPENDED and whole > start:
        return whole
    if whole > start and _is_zero(file, after):
        return whole
    return family.tail(file, start, size)


def _is_zero(file: BinaryIO, at: int) -> bool:
    """Whether a file holds nothing but zeros from a position on: room that was set aside."""
    file.seek(at)
    while piece := file.read(1 << 20):
        if any(piece):
            return False
    return True


def _reads_as_is(
    head: bytes,
    before: list[Chunk],
    chunk: Chunk,
    family: ChunkFamily,
    declared: int | None,
    held: int,
) -> bool:
    """Whether libsndfile finds all samples by the file's own header."""
    ends = [family.padded(one.start + one.size) for one in before]
    if (ends[-1] if ends else family.first) != chunk.at or head[:4] == b"BW64":
        return False
    if any(end != one.at for end, one in zip(ends, before[1:], strict=False)):
        return False
    if head[:4] in (b"RF64", b"caff"):
        return declared is not None and declared <= held
    return head[:4] != b"riff" or declared is None or declared >= held


def _head(
    head: bytes, family: ChunkFamily, contents: dict[bytes, bytes], held: int
) -> bytes | None:
    """A header for ``held`` bytes of samples; None if the file lacks what it needs."""
    if head[:4] == b"FORM":
        kept, data = (b"FVER", b"COMM"), b"SSND" + family.pack(held + 8) + bytes(8)
    elif head[:4] == b"caff":
        if contents.get(b"desc", b"")[8:12] not in _UNCOMPRESSED_CAF:
            return None
        kept, data = (b"desc", b"chan"), b"data" + family.pack(held + 4) + bytes(4)
    elif head[:4] == b"riff":
        kept, data = (b"fmt ",), b"data" + _W64_TAIL + family.pack(held)
    else:
        kept, data = (b"fmt ",), b"data" + family.pack(min(held, 0xFFFFFFFF))
    if kept[-1 if head[:4] == b"FORM" else 0] not in contents:
        return None
    tail = _W64_TAIL if family.guids else b""
    middle = b"".join(
        _chunk(family, name + tail, contents[name]) for name in kept if name in contents
    )
    return _start(head, len(middle) + len(data) + held, held) + middle + data


def _chunk(family: ChunkFamily, name: bytes, content: bytes) -> bytes:
    made = name + family.pack(len(content)) + content
    return made + bytes(-len(made) % family.align)


def _start(head: bytes, rest: int, held: int) -> bytes:
    """What comes before the first chunk, and the sizes of RF64."""
    if head[:4] == b"caff":
        return head[:8]
    if head[:4] == b"riff":
        return head[:16] + struct.pack("<Q", 40 + rest) + head[24:40]
    if head[:4] in (b"RF64", b"BW64") or (head[:4] == b"RIFF" and held > _RIFF_LIMIT):
        sizes = struct.pack("<QQQI", 40 + rest, held, 0, 0)
        return b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", len(sizes)) + sizes
    order = "<" if head[:4] == b"RIFF" else ">"
    return head[:4] + struct.pack(f"{order}I", min(4 + rest, 0xFFFFFFFF)) + head[8:12]
