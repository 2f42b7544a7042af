"""Finds the parts of files that were joined, of which libsndfile reads the first only.

Radio recordings and joined Ogg files are chains: complete streams, one after the other (RFC 3533).
``cat a.flac b.flac`` and ``cat a.wav b.wav`` make files that many programs play to the end.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from ...regular_file import open_regular

_HEADER = 27
_BEGINS = 2
"""Flag of a page that begins a logical stream."""
_FLAC = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
"""How a FLAC stream begins: its name, and the header of STREAMINFO."""
_PIECE = 1 << 20
_ORDER = {b"RIFF": "<", b"FORM": ">"}


def find_parts(path: Path) -> list[tuple[int, int]]:
    """First byte, and the byte after the last one, of each part of a file.

    Returns:
        One part if nothing was joined, or the file is damaged before a second part.

    Raises:
        OSError: if the file cannot be read.
    """
    with open_regular(path) as file:
        magic = file.read(4)
        size = file.seek(0, os.SEEK_END)
        starts = [0]
        if magic == b"OggS":
            starts = _ogg_streams(file)
        elif magic == b"fLaC":
            starts = _flac_streams(file)
        elif magic in _ORDER:
            starts = _forms(file, size, magic)
    return list(zip(starts, [*starts[1:], size], strict=True))


def _ogg_streams(file: BinaryIO) -> list[int]:
    starts = [0]
    in_header = True
    at = 0
    while (page := _page(file, at)) is not None:
        begins, length = page
        if begins and not in_header:
            starts.append(at)
        in_header = begins
        at += length
    return starts


def _page(file: BinaryIO, at: int) -> tuple[bool, int] | None:
    """Whether the page at a position begins a stream, and its length; None if there is no page."""
    file.seek(at)
    head = file.read(_HEADER + 255)
    if len(head) < _HEADER or head[:4] != b"OggS":
        return None
    count = head[26]
    lacing = head[_HEADER : _HEADER + count]
    return bool(head[5] & _BEGINS), _HEADER + count + sum(lacing)


def _flac_streams(file: BinaryIO) -> list[int]:
    starts = [0]
    file.seek(4)
    at, kept = 4, b""
    while piece := file.read(_PIECE):
        data = kept + piece
        for mark in _FLAC:
            found = data.find(mark)
            while found >= 0:
                starts.append(at - len(kept) + found)
                found = data.find(mark, found + 1)
        at += len(piece)
        kept = data[-7:]
    return sorted(set(starts))


def _forms(file: BinaryIO, size: int, magic: bytes) -> list[int]:
    """RIFF or FORM files whose sizes lead from one to the next."""
    starts = [0]
    while True:
        file.seek(starts[-1] + 4)
        data = file.read(4)
        if len(data) < 4:
            return starts
        length = struct.unpack(f"{_ORDER[magic]}I", data)[0]
        at = starts[-1] + 8 + length + length % 2
        file.seek(at)
        head = file.read(12) if length and at + 12 <= size else b""
        if head[:4] != magic or head[8:12] not in (b"WAVE", b"AIFF", b"AIFC"):
            return starts
        starts.append(at)
