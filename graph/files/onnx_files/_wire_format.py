"""Protobuf's wire format: reads fields without what they hold, and writes messages.

A file of ONNX is one message. Its weights are fields that are passed over, so that reading a model
of 400 MB takes as long as its graph does.

Source: Google, "Protocol Buffers: Encoding", protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from ..file_errors import FormatError, damaged

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types; groups (3 and 4) are in no file of ONNX."""
LONGEST_NAME = 4096
"""Bytes of a name."""
LONGEST_TEXT = 1 << 16
"""Bytes of a text; longer ones are cut."""
_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10
_MOST_FIELDS = 2_000_000
"""A network of 1,500 operators has some 50,000."""
_CHUNK = 1 << 14
_SIGN = 1 << 63


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: of the field.
        wire: its wire type.
        value: of a number; 0 for bytes.
        begin: where its tag begins.
        start: where its contents begin.
        end: where they end.
    """

    number: int
    wire: int
    value: int
    begin: int
    start: int
    end: int


class WireReader:
    """Reads messages at positions of a file.

    Args:
        file: open for reading, or bytes in memory as a file.
        size: its bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._base, self._chunk = 0, b""
        self._left = _MOST_FIELDS

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of a message; nested messages are not entered.

        Raises:
            FormatError: if a part is longer than the message, or it is no message.
        """
        at = start
        while at < end:
            self._count()
            begin = at
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            value = 0
            if wire == VARINT:
                value, after = self._varint(at, end)
            elif wire == BYTES:
                length, at = self._varint(at, end)
                after = at + length
            elif wire in _SIZES:
                after = at + _SIZES[wire]
            else:
                raise damaged(f"it is no message of protobuf: wire type {wire} at byte {begin}")
            if not number or after > end:
                raise damaged(
                    f"a part at byte {begin} ends {after - end} bytes beyond what holds it"
                    if number
                    else f"it is no message of protobuf: field 0 at byte {begin}"
                )
            yield Field(number, wire, value, begin, at, after)
            at = after

    def read(self, start: int, end: int) -> bytes:
        """The bytes between two positions."""
        self._file.seek(start)
        found = self._file.read(end - start)
        if len(found) != end - start:
            raise damaged("it ends before what it declares")
        return found

    def name(self, field: Field) -> str:
        """A name of the graph. It decides what is connected, so it is never changed.

        Raises:
            FormatError: if it is longer than any name, or no UTF-8.
        """
        if field.end - field.start > LONGEST_NAME:
            raise damaged(f"a name in it has {field.end - field.start:,} bytes")
        try:
            return self.read(field.start, field.end).decode()
        except UnicodeDecodeError:
            raise damaged("a name in it is no UTF-8") from None

    def text(self, field: Field) -> str:
        """A text for people, cut if it is long."""
        end = min(field.end, field.start + LONGEST_TEXT)
        return self.read(field.start, end).decode("utf-8", "replace")

    def integers(self, field: Field, most: int) -> list[int]:
        """Signed integers of a repeated field, packed or single; at most the first ``most``."""
        if field.wire == VARINT:
            return [signed(field.value)]
        found: list[int] = []
        at = field.start
        while at < field.end and len(found) < most:
            value, at = self._varint(at, field.end)
            found.append(signed(value))
        return found

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise FormatError(
                "onnx-too-large",
                f"it has more than {_MOST_FIELDS:,} parts, more than any model: it may be designed "
                "to exhaust memory",
                "do not use this file; get the model from where its author publishes it",
            )

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """A number and the position behind it."""
        offset = at - self._base
        if not 0 <= offset <= len(self._chunk) - _LONGEST_VARINT:
            self._base, offset = at, 0
            self._file.seek(at)
            self._chunk = self._file.read(_CHUNK)
        value = 0
        for shift, byte in enumerate(self._chunk[offset : offset + _LONGEST_VARINT]):
            value |= (byte & 0x7F) << (7 * shift)
            if byte < 0x80:
                after = at + shift + 1
                if after > end:
                    break
                return value & 0xFFFF_FFFF_FFFF_FFFF, after
        raise damaged(f"it ends within a number, at byte {at}")


def signed(value: int) -> int:
    """A varint as a signed number of 64 bits."""
    return value - 2 * _SIGN if value >= _SIGN else value


def varint(value: int) -> bytes:
    """A number as protobuf writes it; negative ones take ten bytes."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def integer_field(number: int, value: int) -> bytes:
    """A field that holds a number."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, value: bytes | str) -> bytes:
    """A field that holds bytes, a string or a message."""
    held = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | BYTES) + varint(len(held)) + held


def fixed32_field(number: int, value: bytes) -> bytes:
    """A field that holds a float32, given as its four bytes."""
    return varint(number << 3 | FIXED32) + value


def joined(parts: Iterable[bytes]) -> bytes:
    """The fields of a message, one behind the other."""
    return b"".join(parts)
