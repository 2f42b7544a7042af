"""A growing WAV file of 32-bit floats that is valid after every block, even after a crash.

libsndfile writes the sizes into the header when a file is closed, and ``soundfile`` does not expose
its command to do so earlier. So the header is written here. Beyond 4 GB the file becomes RF64 in
place (EBU Tech 3306): the reserved chunk ``JUNK`` becomes ``ds64``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_FLOAT = 3
_DS64 = 28
_LIMIT = (1 << 32) - 1
_SIZE_IN_DS64 = 0xFFFFFFFF
"""RF64 puts this in place of sizes of more than 32 bits."""
_SIZES = 12 + 8
_FORMAT = _SIZES + _DS64
HEADER = _FORMAT + 8 + 18 + 8 + 4 + 8
"""Bytes before the samples."""


def header(rate: int, channels: int, frames: int) -> bytes:
    """The header of a file with ``frames`` frames."""
    data = 4 * channels * frames
    riff = HEADER - 8 + data
    large = riff > _LIMIT
    junk = struct.pack("<QQQI", riff, data, frames, 0) if large else bytes(_DS64)
    form, size = (b"RF64", _SIZE_IN_DS64) if large else (b"RIFF", riff)
    return b"".join(
        (
            struct.pack("<4sI4s", form, size, b"WAVE"),
            struct.pack("<4sI", b"ds64" if large else b"JUNK", _DS64),
            junk,
            struct.pack("<4sIHHIIHHH", b"fmt ", 18, _FLOAT, channels, rate,
                        4 * channels * rate, 4 * channels, 32, 0),
            struct.pack("<4sII", b"fact", 4, min(frames, _LIMIT)),
            struct.pack("<4sI", b"data", _SIZE_IN_DS64 if large else data),
        )
    )  # fmt: skip


def is_own(start: bytes, channels: int) -> bool:
    """Whether a header has the layout that is written here; other programs use other layouts."""
    expected = header(1, channels, 0)
    kind = slice(_FORMAT, _FORMAT + 12)  # chunk name and size, encoding, channels
    data = slice(HEADER - 8, HEADER - 4)
    return start[kind] == expected[kind] and start[data] == expected[data]


def frames_claimed(start: bytes, channels: int) -> int:
    """How many frames a header says that the file has; a file that was cut off has fewer."""
    (fact,) = struct.unpack_from("<I", start, _FORMAT + 8 + 18 + 8)
    if start[:4] == b"RF64":
        (data,) = struct.unpack_from("<Q", start, _SIZES + 8)
    else:
        (data,) = struct.unpack_from("<I", start, HEADER - 4)
    return max(fact, data // (4 * channels))


class GrowingWave:
    """Appends blocks to a WAV file that is valid after each of them.

    Args:
        path: the file; an existing one is replaced.
        rate: samples per second, rounded to a whole number in the header.
        channels: number of channels.

    Attributes:
        frames: frames written so far.
        channels: number of channels.

    Raises:
        OSError: if it cannot be written, here or later.
    """

    def __init__(self, path: Path, rate: float, channels: int) -> None:
        self.frames = 0
        self._rate, self.channels = max(1, round(rate)), channels
        self._file = path.open("wb", buffering=0)
        try:
            self._file.write(header(self._rate, channels, 0))
        except OSError:
            self._file.close()
            raise

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return HEADER + 4 * self.channels * self.frames

    def write(self, block: np.ndarray) -> None:
        """Appends ``[C, N]`` float32."""
        self._file.write(np.ascontiguousarray(block.T, "<f4").data)
        self.frames += block.shape[1]
        self._file.seek(0)
        self._file.write(header(self._rate, self.channels, self.frames))
        self._file.seek(0, 2)

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        self._file.close()
