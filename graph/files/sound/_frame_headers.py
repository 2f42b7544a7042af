"""Lengths in the headers of FLAC and MP3 files, which may be smaller than what follows.

Files that were joined, or whose writer was stopped, declare too little; the decoders believe them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import soundfile

from ...regular_file import open_regular
from ._byte_view import ByteView

_XING_REACH = 64
"""Bytes to search: the Xing tag follows the header and side information of the first frame."""
_HAS_BYTES = 2
_BITRATES = 56
"""Ratio of the highest bitrate, 448 kbit/s, to the lowest one, 8 kbit/s."""
_HEAD = 4096
_FLAC_HEAD = 26
"""Bytes up to the end of the number of samples in STREAMINFO."""


@dataclass(frozen=True, slots=True)
class Xing:
    """The tag in the first frame of an MP3 file.

    Attributes:
        at: its position.
        size: bytes of the stream from the first frame on; None if it does not say.
    """

    at: int
    size: int | None


def xing(head: bytes) -> Xing | None:
    """The tag of a stream that begins with ``head``; None if it has none."""
    reach = head[: _XING_REACH + 16]
    at = max(reach.find(b"Xing"), reach.find(b"Info"))
    if at < 0 or len(head) < at + 16:
        return None
    flags, _, size = struct.unpack_from(">III", head, at + 4)
    return Xing(at, size if flags & _HAS_BYTES else None)


def id3_length(head: bytes) -> int:
    """Bytes of the ID3v2 tag that a file begins with; 0 if there is none."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def mpeg_start(path: Path) -> tuple[int, bytes] | None:
    """Position and first bytes of the first MPEG frame; None if there is no frame."""
    with open_regular(path) as file:
        at = id3_length(file.read(10))
        file.seek(at)
        head = file.read(_HEAD)
    zeros = len(head) - len(head.lstrip(b"\0"))
    head = head[zeros:]
    return (at + zeros, head) if _is_frame(head) else None


def _is_frame(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0


def unmeasured_mpeg(path: Path) -> ByteView | None:
    """An MP3 file whose header does not say how long it is, so that all of it is decoded.

    The decoder takes all frames to be as long as the first one, which loses the end of a file with
    a variable bitrate.

    Raises:
        OSError: if it cannot be read.
    """
    found = mpeg_start(path)
    if found is None or xing(found[1]) is not None or b"VBRI" in found[1][:_XING_REACH]:
        return None
    size = path.stat().st_size
    return ByteView(path, b"", found[0], size, pretend=_BITRATES * size)


def whole_mpeg(path: Path) -> ByteView | None:
    """An MP3 file without the length in its header, if frames follow behind that length.

    Raises:
        OSError: if it cannot be read.
    """
    found = mpeg_start(path)
    tag = xing(found[1]) if found else None
    if found is None or tag is None or not tag.size:
        return None
    start, head = found
    size = path.stat().st_size
    with open_regular(path) as file:
        file.seek(start + tag.size)
        more = file.read(_HEAD)
        behind = id3_length(more)
        if behind:
            file.seek(start + tag.size + behind)
            more = file.read(_HEAD)
    if not _is_frame(more):
        return None
    head = head[: tag.at] + bytes(4) + head[tag.at + 4 : tag.at + 16]
    return ByteView(path, head, start + len(head), size, pretend=_BITRATES * size)


def whole_flac(path: Path) -> ByteView | None:
    """A FLAC file without the length in its header, if samples follow behind that length.

    Raises:
        OSError: if it cannot be read.
    """
    with open_regular(path) as file:
        start = id3_length(file.read(10))
        file.seek(start)
        head = bytearray(file.read(_FLAC_HEAD))
    if head[:4] != b"fLaC" or len(head) < _FLAC_HEAD:
        return None
    declared = (head[21] & 15) << 32 | int.from_bytes(head[22:26], "big")
    if not declared:
        return None
    head[21] &= 0xF0
    head[22:26] = bytes(4)

    def view() -> ByteView:
        return ByteView(path, bytes(head), start + _FLAC_HEAD, path.stat().st_size)

    try:
        with view() as behind, soundfile.SoundFile(cast(BinaryIO, behind)) as file:
            file.seek(declared)
    except (soundfile.LibsndfileError, TypeError):
        return None  # the end is where the header says
    return view()
