"""The serial number of an Ogg stream.

libsndfile draws it at random, so that the same sound would be another file each time.

RFC 3533, "The Ogg Encapsulation Format", section 6: a page begins with ``OggS``; bytes 14 to 17 are
the serial number, 22 to 25 a CRC of the page (polynomial 0x04c11db7, not reflected, from 0), byte
26 the number of segments, whose lengths follow.
"""

from __future__ import annotations

import struct

_POLYNOMIAL = 0x04C11DB7
_SERIAL, _CRC, _COUNT, _LENGTHS = 14, 22, 26, 27


def with_serial(data: bytes, serial: int) -> bytes:
    """The same Ogg file with another serial number.

    Args:
        data: a file with one stream.
        serial: from 0 to 2**32 - 1.

    Raises:
        ValueError: if it is no Ogg file.
    """
    changed = bytearray(data)
    at = 0
    while at < len(data):
        if data[at : at + 4] != b"OggS":
            raise ValueError(f"there is no page of Ogg at byte {at}")
        lengths = data[at + _LENGTHS : at + _LENGTHS + data[at + _COUNT]]
        size = _LENGTHS + len(lengths) + sum(lengths)
        old = changed[at + _SERIAL : at + _SERIAL + 4]
        new = struct.pack("<I", serial)
        difference = int.from_bytes(bytes(a ^ b for a, b in zip(old, new, strict=True)), "big")
        changed[at + _SERIAL : at + _SERIAL + 4] = new
        (crc,) = struct.unpack_from("<I", data, at + _CRC)
        # A CRC from 0 is linear: that of the difference, which is zero but for four bytes.
        behind = size - _SERIAL - 4
        crc ^= _times(difference, _power(8 * (behind + 4)))
        struct.pack_into("<I", changed, at + _CRC, crc)
        at += size
    return bytes(changed)


def _power(exponent: int) -> int:
    """The remainder of x to a power by the polynomial."""
    found, square = 1, 2
    while exponent:
        if exponent & 1:
            found = _times(found, square)
        square = _times(square, square)
        exponent >>= 1
    return found


def _times(first: int, second: int) -> int:
    """The remainder of a product, of polynomials over GF(2) with 32 bits."""
    found = 0
    while second:
        if second & 1:
            found ^= first
        first = first << 1 ^ (_POLYNOMIAL | 1 << 32 if first >> 31 else 0)
        second >>= 1
    return found
