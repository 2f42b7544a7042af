"""Pictures of voices: PNG, JPEG, WebP and GIF by their first bytes, of a size that pages show.

Nothing is decoded. Formats that can hold programs, such as SVG, are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple, cast

from voicegraph.graph.errors import InputError, Problem
from voicegraph.schemas.voice_library import PictureType

MOST_BYTES = 8 << 20
"""Size of a picture's file."""
MOST_PIXELS = 1 << 25
"""Pixels of a picture: what a browser unpacks without trouble."""
ENDINGS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
_KEPT = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}


class PictureFacts(NamedTuple):
    """What the first bytes of a picture say."""

    type: PictureType
    ending: str
    width: int
    height: int


def picture_facts(data: bytes, name: str) -> PictureFacts:
    """Type and size of a picture.

    Args:
        data: the file.
        name: for messages.

    Raises:
        InputError: if it is none of the four formats, or too large.
    """
    if len(data) > MOST_BYTES:
        raise _refused(name, f"it has {len(data) / 1e6:.1f} MB, more than 8 MB")
    for kind, found in _sizes(data):
        width, height = found
        if not 0 < width * height <= MOST_PIXELS:
            raise _refused(name, f"it has {width} x {height} pixels")
        return PictureFacts(cast("PictureType", kind), _KEPT[kind], width, height)
    raise _refused(name, "it is no PNG, JPEG, WebP or GIF")


def _sizes(data: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """Type and size, if the data begin as a picture; nothing otherwise."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        yield "image/png", struct.unpack(">II", data[16:24])
    elif data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        yield "image/gif", struct.unpack("<HH", data[6:10])
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP" and (size := _webp(data)) is not None:
        yield "image/webp", size
    elif data[:3] == b"\xff\xd8\xff" and (size := _jpeg(data)) is not None:
        yield "image/jpeg", size


def _webp(data: bytes) -> tuple[int, int] | None:
    """The size of a WebP picture in each of its three forms."""
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return (int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """The size in the first frame header of a JPEG."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _refused(name: str, why: str) -> InputError:
    text = f"{name} cannot be the picture of a voice: {why}"
    return InputError(Problem("bad-picture", text, fix="give a PNG, JPEG, WebP or GIF"))
