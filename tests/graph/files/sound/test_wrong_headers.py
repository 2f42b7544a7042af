"""No sample is lost where a header lies, in either direction."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound.reader import AudioReader

FRAMES = 4800
SIZES: dict[str, tuple[str, bytes, str, int]] = {
    # container -> subtype, what its size follows, form of the size, what it counts besides samples
    "WAV": ("PCM_16", b"data", "<I", 0),
    "WAVEX": ("PCM_24", b"data", "<I", 0),
    "RF64": ("PCM_16", b"ds64\x1c\0\0\0" + struct.pack("<Q", 9696), "<Q", 0),
    "W64": ("PCM_16", bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"), "<Q", 24),
    "AIFF": ("PCM_16", b"SSND", ">I", 8),
    "AIFC": ("FLOAT", b"SSND", ">I", 8),
    "AU": ("PCM_16", b".snd\0\0\0\x18", ">I", 0),
    "CAF": ("PCM_16", b"data", ">Q", 4),
}
STREAMED = {"WAV": 0xFFFFFFFF, "AU": 0xFFFFFFFF, "AIFF": 0xFFFFFFFF}


def _write(path: Path, container: str, samples: np.ndarray) -> None:
    subtype = SIZES[container][0]
    kind = {"AIFC": "AIFF"}.get(container, container)
    soundfile.write(path, samples.T, 48000, subtype, format=kind)


def _patch(path: Path, container: str, size: int) -> None:
    """Writes another size into a header; ``size`` counts bytes of samples."""
    _, mark, form, more = SIZES[container]
    data = bytearray(path.read_bytes())
    at = data.index(mark) + len(mark)
    limit = (1 << 8 * struct.calcsize(form)) - 1
    struct.pack_into(form, data, at, min(size + more, limit) if size else 0)
    path.write_bytes(data)


def _whole(path: Path, salvage: bool = False) -> tuple[np.ndarray, list[str]]:
    with AudioReader(path, salvage=salvage) as reader:
        return np.concatenate(list(reader), axis=1), reader.notes


@pytest.mark.parametrize("container", SIZES)
@pytest.mark.parametrize("declared", [0.0, 0.5, 2.0])
def test_wrong_size_is_refused_and_salvaged_without_loss(
    tmp_path: Path, noise: Callable[..., np.ndarray], container: str, declared: float
) -> None:
    path = tmp_path / "a"
    _write(path, container, noise(FRAMES))
    expected, _ = _whole(path)
    width = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}[SIZES[container][0]]
    _patch(path, container, int(declared * FRAMES * width))
    with pytest.raises(InputError) as caught:
        _whole(path)
    assert "--salvage" in (caught.value.problems[0].fix or "")
    found, notes = _whole(path, salvage=True)
    np.testing.assert_array_equal(found, expected)
    assert len(notes) == 1


@pytest.mark.parametrize("container", SIZES)
def test_streamed_file_is_read_without_a_word(
    tmp_path: Path, noise: Callable[..., np.ndarray], container: str
) -> None:
    """Programs that write into a pipe leave the largest size."""
    path = tmp_path / "a"
    _write(path, container, noise(FRAMES))
    expected, _ = _whole(path)
    _patch(path, container, 1 << 64)
    found, notes = _whole(path)
    np.testing.assert_array_equal(found, expected)
    assert notes == []


@pytest.mark.parametrize("container", ["WAV", "AIFF"])
@pytest.mark.parametrize("declared", [1.0, 0.0])
def test_chunks_after_the_samples_are_no_samples(
    tmp_path: Path, noise: Callable[..., np.ndarray], container: str, declared: float
) -> None:
    path = tmp_path / "a"
    _write(path, container, noise(FRAMES))
    expected, _ = _whole(path)
    order = "<" if container == "WAV" else ">"
    with path.open("ab") as file:
        file.write(b"LIST" + struct.pack(f"{order}I", 6) + b"INFOxy")
        file.write(b"id3 " + struct.pack(f"{order}I", 3) + b"abc\0")
    if not declared:
        _patch(path, container, 0)
    found, _ = _whole(path, salvage=not declared)
    np.testing.assert_array_equal(found, expected)


def test_aiff_whose_layout_follows_its_samples_is_salvaged(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "a"
    _write(path, "AIFF", noise(FRAMES))
    expected, _ = _whole(path)
    data = path.read_bytes()
    path.write_bytes(data[:12] + data[38:] + data[12:38])
    np.testing.assert_array_equal(_whole(path)[0], expected)
    _patch(path, "AIFF", FRAMES)
    with pytest.raises(InputError, match="--salvage"):
        _whole(path)
    np.testing.assert_array_equal(_whole(path, salvage=True)[0], expected)


@pytest.mark.parametrize(
    "appended", [b"TAG" + bytes(125), bytes(100_000), b"\x80" * 1000], ids=["tag", "zeros", "junk"]
)
def test_bytes_after_a_complete_file_are_ignored(
    tmp_path: Path, noise: Callable[..., np.ndarray], appended: bytes
) -> None:
    path = tmp_path / "a.wav"
    _write(path, "WAV", noise(FRAMES))
    with path.open("ab") as file:
        file.write(appended)
    found, notes = _whole(path)
    assert found.shape == (1, FRAMES)
    assert notes == []


def test_odd_chunk_without_padding_is_tolerated(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "a.wav"
    _write(path, "WAV", noise(FRAMES))
    expected, _ = _whole(path)
    data = path.read_bytes()
    path.write_bytes(data[:36] + b"LIST\5\0\0\0INFOx" + data[36:])
    found, _ = _whole(path)
    np.testing.assert_array_equal(found, expected)


def test_bw64_is_read_as_rf64(tmp_path: Path, noise: Callable[..., np.ndarray]) -> None:
    path = tmp_path / "a"
    _write(path, "RF64", noise(FRAMES))
    expected, _ = _whole(path)
    path.write_bytes(b"BW64" + path.read_bytes()[4:])
    np.testing.assert_array_equal(_whole(path)[0], expected)


def _flac_total(path: Path, total: int) -> None:
    data = bytearray(path.read_bytes())
    data[21] = data[21] & 0xF0 | total >> 32
    data[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(data)


@pytest.mark.parametrize("total", [FRAMES // 2, FRAMES - 1, FRAMES * 2, (1 << 36) - 1])
def test_wrong_flac_length_is_refused_and_salvaged(
    tmp_path: Path, noise: Callable[..., np.ndarray], total: int
) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(FRAMES).T, 48000)
    expected, _ = _whole(path)
    _flac_total(path, total)
    with pytest.raises(InputError, match="--salvage"):
        _whole(path)
    found, notes = _whole(path, salvage=True)
    np.testing.assert_array_equal(found, expected)
    assert len(notes) == 1


@pytest.mark.parametrize("frames", [1, 4095, 11_999, 12_000, 12_001, 24_000, 36_001])
def test_flac_of_unknown_length_is_read_to_the_last_sample(
    tmp_path: Path, noise: Callable[..., np.ndarray], frames: int
) -> None:
    """Around the ends of chunks, which have 12000 samples, and of FLAC blocks, which have 4096."""
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(frames).T, 48000)
    expected, _ = _whole(path)
    _flac_total(path, 0)
    found, notes = _whole(path)
    np.testing.assert_array_equal(found, expected)
    assert notes == []


@pytest.fixture
def loud_then_quiet(tmp_path: Path, noise: Callable[..., np.ndarray]) -> Path:
    """An MP3 file of a variable bitrate, 2 s long, with its length in a tag."""
    path = tmp_path / "a.mp3"
    samples = noise(96_000)
    samples[:, 24_000:] *= 1e-4
    with soundfile.SoundFile(
        path, "w", 48000, 1, compression_level=0.0, bitrate_mode="VARIABLE"
    ) as file:
        file.write(samples.T)
    return path


def test_mp3_without_its_length_is_read_to_its_end(loud_then_quiet: Path) -> None:
    """The decoder takes all frames to be as long as the first one."""
    data = loud_then_quiet.read_bytes()
    loud_then_quiet.write_bytes(data.replace(b"Xing", bytes(4), 1))
    found, notes = _whole(loud_then_quiet)
    assert found.shape[1] >= 96_000
    assert notes == []


def test_mp3_whose_tag_declares_too_little_is_read_to_its_end(loud_then_quiet: Path) -> None:
    loud_then_quiet.write_bytes(loud_then_quiet.read_bytes() * 2)
    found, notes = _whole(loud_then_quiet)
    assert found.shape[1] >= 192_000
    assert notes == [
        f"{loud_then_quiet}: more sound follows than its header declares: all of it was used"
    ]
