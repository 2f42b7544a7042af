"""Sound files that grow: whole at any moment, and of any size."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.files.recordings._growing_wave import HEADER, GrowingWave, header


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_file_is_readable_after_every_block(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.wav"
    wave = GrowingWave(path, 44100, channels)
    assert soundfile.info(path).frames == 0
    blocks = np.random.default_rng(1).normal(size=(4, channels, 100)).astype(np.float32)
    for i, block in enumerate(blocks):
        wave.write(block)
        info = soundfile.info(path)
        assert (info.frames, info.samplerate, info.channels) == (100 * (i + 1), 44100, channels)
        assert info.subtype == "FLOAT"
    wave.close()
    wave.close()
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert np.array_equal(samples.T, np.concatenate(list(blocks), 1))


def test_values_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    wave = GrowingWave(tmp_path / "a.wav", 16000, 1)
    wave.write(np.array([[3.0, -7.5]], np.float32))
    wave.close()
    assert soundfile.read(tmp_path / "a.wav")[0].tolist() == [3.0, -7.5]


def test_fractional_rate_is_rounded(tmp_path: Path) -> None:
    GrowingWave(tmp_path / "a.wav", 0.4, 1).close()
    assert soundfile.info(tmp_path / "a.wav").samplerate == 1


@pytest.mark.parametrize("frames", [0, 1, 2**29, 2**30 - 20, 2**30, 2**33])
def test_headers_are_valid_for_any_size(frames: int) -> None:
    made = header(48000, 1, frames)
    assert len(made) == HEADER
    large = HEADER - 8 + 4 * frames >= 2**32
    assert made[:4] == (b"RF64" if large else b"RIFF")
    assert made[12:16] == (b"ds64" if large else b"JUNK")
    sizes = struct.unpack("<QQQI", made[20:48])
    assert sizes == ((HEADER - 8 + 4 * frames, 4 * frames, frames, 0) if large else (0, 0, 0, 0))
    riff, data = struct.unpack("<I", made[4:8])[0], struct.unpack("<I", made[-4:])[0]
    assert (riff, data) == (
        (0xFFFFFFFF, 0xFFFFFFFF) if large else (HEADER - 8 + 4 * frames, 4 * frames)
    )


def test_file_beyond_4_gb_is_valid_rf64(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    frames = 2**30 + 5
    with path.open("wb") as file:  # a file with a hole: it takes no room
        file.write(header(48000, 1, frames))
        file.truncate(HEADER + 4 * frames)
    info = soundfile.info(path)
    assert (info.format, info.frames) == ("RF64", frames)
