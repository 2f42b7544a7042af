"""A WAV file of 32 bit floats that grows, and can be played at any moment, even after a crash.

libsndfile writes sizes into the header when a file is closed, and its way to do so earlier is not
offered by ``soundfile``; so the few bytes of a header are written here. Beyond 4 GB the file
becomes RF64 in place (EBU Tech 3306): the chunk ``JUNK``, left free at the beginning, becomes
``ds64``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_FLOAT = 3
_DS64 = 28
_LIMIT = (1 << 32) - 1
_PUT_OFF = 0xFFFFFFFF
"""What RF64 has in place of sizes that do not fit."""
_FORMAT = 12 + 8 + _DS64
HEADER = _FORMAT + 8 + 18 + 8 + 4 + 8
"""Bytes before the samples."""


def header(rate: int, channels: int, frames: int) -> bytes:
    """The first bytes of a file that holds ``frames`` frames."""
    data = 4 * channels * frames
    riff = HEADER - 8 + data
    large = riff > _LIMIT
    junk = struct.pack("<QQQI", riff, data, frames, 0) if large else bytes(_DS64)
    form, size = (b"RF64", _PUT_OFF) if large else (b"RIFF", riff)
    return b"".join(
        (
            struct.pack("<4sI4s", form, size, b"WAVE"),
            struct.pack("<4sI", b"ds64" if large else b"JUNK", _DS64),
            junk,
            struct.pack("<4sIHHIIHHH", b"fmt ", 18, _FLOAT, channels, rate,
                        4 * channels * rate, 4 * channels, 32, 0),
            struct.pack("<4sII", b"fact", 4, min(frames, _LIMIT)),
            struct.pack("<4sI", b"data", _PUT_OFF if large else data),
        )
    )  # fmt: skip


def is_own(start: bytes, channels: int) -> bool:
    """Whether a file that begins so was written here: others arrange their headers otherwise."""
    expected = header(1, channels, 0)
    kind = slice(_FORMAT, _FORMAT + 12)  # name and size of the chunk, encoding, channels
    data = slice(HEADER - 8, HEADER - 4)
    return start[kind] == expected[kind] and start[data] == expected[data]


class GrowingWave:
    """Takes blocks, and leaves a file that is whole after each of them.

    Args:
        path: the file; what was there is replaced.
        rate: samples a second; a rate that is no whole number is rounded in the header.
        channels: channels.

    Attributes:
        frames: frames written so far.

    Raises:
        OSError: if it cannot be written, here or later.
    """

    def __init__(self, path: Path, rate: float, channels: int) -> None:
        self.frames = 0
        self._rate, self._channels = max(1, round(rate)), channels
        self._file = path.open("wb", buffering=0)
        try:
            self._file.write(header(self._rate, channels, 0))
        except OSError:
            self._file.close()
            raise

    def write(self, block: np.ndarray) -> None:
        """Appends ``[C, N]`` float32."""
        self._file.write(np.ascontiguousarray(block.T, "<f4").data)
        self.frames += block.shape[1]
        self._file.seek(0)
        self._file.write(header(self._rate, self._channels, self.frames))
        self._file.seek(0, 2)

    def close(self) -> None:
        """Safe to call twice."""
        self._file.close()
