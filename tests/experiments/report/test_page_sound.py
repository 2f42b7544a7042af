"""A sound of the page: the same bits wherever it is encoded."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.report._ogg_serial import with_serial
from voicegraph.experiments.report.page_sound import page_sound, page_sound_key

RATE = 16000


def sound(seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    return (0.1 * np.sin(2 * np.pi * 200 * times)).astype(np.float32)


@pytest.mark.parametrize("format", ["opus", "mp3", "flac"])
def test_the_same_sound_gives_the_same_bits(format: str) -> None:  # noqa: A002 - as the param
    first, second = (page_sound(sound(0.7), RATE, format) for _ in range(2))  # pyright: ignore[reportArgumentType]
    assert first.about == second.about
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        assert np.array_equal(array, second.arrays[name]), name


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_sounds_that_are_too_short_have_a_picture(samples: int) -> None:
    found = page_sound(np.full(samples, 0.1, np.float32), RATE, "opus")
    assert bytes(found.arrays["picture"][:4]) == b"\x89PNG"
    assert found.about["seconds"] == pytest.approx(samples / RATE, abs=1e-4)


def test_keys_differ_by_sound_and_format() -> None:
    keys = {page_sound_key(key, form) for key in ("a", "b") for form in ("opus", "flac")}
    assert len(keys) == 4


@pytest.mark.parametrize("serial", [0, 1, 2**32 - 1])
def test_ogg_pages_get_the_serial_number_and_its_crc(serial: int) -> None:
    file = io.BytesIO()
    soundfile.write(file, sound(3.0), 48000, format="OGG", subtype="OPUS")
    changed = with_serial(file.getvalue(), serial)
    pages = _pages(changed)
    assert len(pages) > 2
    for page in pages:
        assert struct.unpack_from("<I", page, 14) == (serial,)
        blank = page[:22] + bytes(4) + page[26:]
        assert struct.unpack_from("<I", page, 22) == (_crc(blank),)
    file.seek(0)
    assert np.array_equal(soundfile.read(io.BytesIO(changed))[0], soundfile.read(file)[0])


def test_what_is_no_ogg_is_refused() -> None:
    with pytest.raises(ValueError, match="no page of Ogg at byte 0"):
        with_serial(b"RIFF", 1)


def _pages(data: bytes) -> list[bytes]:
    starts = [at for at in range(len(data)) if data.startswith(b"OggS\0", at)]
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]


def _crc(data: bytes) -> int:
    """RFC 3533 taken literally, bit by bit."""
    found = 0
    for byte in data:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ (0x04C11DB7 if found >> 31 else 0)) & 0xFFFFFFFF
    return found
