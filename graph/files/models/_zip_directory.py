"""Reads the directory of a zip file without trusting it.

Only uncompressed records are accepted: PyTorch does not compress, and uncompressed data cannot be
larger than the file. Layout: PKWARE's APPNOTE.TXT, 4.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ..file_errors import DOWNLOAD_AGAIN, FormatError, damaged

MOST_BYTES = 16 << 20
"""Limit of the directory: about 100,000 records."""

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 1


@dataclass(frozen=True, slots=True)
class Record:
    """A file in the zip.

    Attributes:
        name: with its folders.
        raw: the name as bytes in the file.
        size: uncompressed, in bytes.
        packed: compressed, in bytes.
        plain: neither compressed nor encrypted.
        header: offset of its local header.
    """

    name: str
    raw: bytes
    size: int
    packed: int
    plain: bool
    header: int


@dataclass(frozen=True, slots=True)
class Directory:
    """All records by name, and the offset of the directory."""

    records: dict[str, Record]
    start: int


def read_directory(file: BinaryIO, size: int) -> Directory:
    """Reads the directory at the end of a zip file of ``size`` bytes.

    Raises:
        FormatError: if it is missing, damaged or too large, or names a file twice.
    """
    start, length = _find(file, size)
    if length > MOST_BYTES:
        raise damaged("the zip directory is larger than that of any model")
    file.seek(start)
    data = file.read(length)
    records: dict[str, Record] = {}
    at = 0
    while at < length:
        record, at = _entry(data, at)
        if record.name in records:
            raise damaged(f"the zip holds {record.name[:80]!r} twice")
        records[record.name] = record
    return Directory(records, start)


def _find(file: BinaryIO, size: int) -> tuple[int, int]:
    """Offset and length of the directory."""
    tail = min(size, _END.size + _LONGEST_COMMENT)
    file.seek(size - tail)
    data = file.read(tail)
    at = data.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(data):
        raise FormatError(
            "truncated-file",
            f"a zip whose end is missing after {size} bytes: the download or copy is not complete",
            DOWNLOAD_AGAIN,
        )
    end = size - tail + at
    *_, length, start, _ = _END.unpack_from(data, at)
    if at >= _LOCATOR.size and data[at - _LOCATOR.size :][:4] == b"PK\6\7":
        where = _LOCATOR.unpack_from(data, at - _LOCATOR.size)[2]
        file.seek(min(where, size))
        found = file.read(_END_64.size)
        if len(found) < _END_64.size or found[:4] != b"PK\6\6":
            raise damaged("the zip directory is damaged")
        *_, length, start = _END_64.unpack(found)
    if start + length > end:
        raise damaged("the zip directory is damaged")
    return start, length


def _entry(data: bytes, at: int) -> tuple[Record, int]:
    """One entry, and the offset of the next one."""
    if at + _ENTRY.size > len(data) or data[at : at + 4] != b"PK\1\2":
        raise damaged("the zip directory is damaged")
    fields = _ENTRY.unpack_from(data, at)
    flags, method = fields[3], fields[4]
    packed, size, name_length, extra_length, comment_length = fields[8:13]
    header = fields[16]
    at += _ENTRY.size
    name = data[at : at + name_length]
    extra = data[at + name_length : at + name_length + extra_length]
    size, packed, header = _zip64_sizes(extra, size, packed, header)
    plain = method == 0 and packed == size and not flags & _ENCRYPTED
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = name.decode("cp437")
    at += name_length + extra_length + comment_length
    if at > len(data):
        raise damaged("the zip directory is damaged")
    return Record(text, name, size, packed, plain, header), at


def _zip64_sizes(extra: bytes, *values: int) -> tuple[int, ...]:
    """Sizes of more than 32 bits are in an extra field (Zip64), in this order."""
    at, found = 0, list(values)
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            field, used = extra[at + 4 : at + 4 + length], 0
            for i, value in enumerate(found):
                if value == 0xFFFFFFFF:
                    if used + 8 > len(field):
                        raise damaged("the zip directory is damaged")
                    found[i] = struct.unpack_from("<Q", field, used)[0]
                    used += 8
        at += 4 + length
    return tuple(found)


def locate(file: BinaryIO, record: Record, limit: int) -> int:
    """The offset of a record's bytes.

    Args:
        file: the zip.
        record: from its directory.
        limit: the offset of the directory, where the records end.

    Raises:
        FormatError: if the record is compressed or encrypted, or the directory is wrong about it.
    """
    if not record.plain:
        raise FormatError(
            "compressed-record",
            f"{record.name[:80]!r} in it is compressed or encrypted, which PyTorch never does",
            "get the file as PyTorch saved it",
        )
    file.seek(min(record.header, limit))
    found = file.read(_LOCAL.size + len(record.raw))
    if found[:4] != b"PK\3\4" or found[_LOCAL.size :] != record.raw:
        raise damaged(f"{record.name[:80]!r} is not where the zip directory says")
    *_, name_length, extra_length = _LOCAL.unpack_from(found)
    start = record.header + _LOCAL.size + name_length + extra_length
    if start + record.size > limit:
        raise FormatError(
            "tensor-too-large",
            f"{record.name[:80]!r} claims {record.size} bytes, more than the file has",
            DOWNLOAD_AGAIN,
        )
    return start
