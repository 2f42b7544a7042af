"""``AudioReader``: every format, in chunks; what cannot be read says why."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound.formats import WRITABLE
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.signals import Audio

from ....tolerance import STEP_24_BIT, assert_close

Maker = Callable[..., Path]
Noise = Callable[..., np.ndarray]
LOSSY = {".ogg", ".opus", ".mp3"}


def whole(reader: AudioReader) -> np.ndarray:
    return np.concatenate(list(reader), axis=1)


@pytest.mark.parametrize("suffix", WRITABLE)
def test_samples_are_read_as_written(tmp_path: Path, noise: Noise, suffix: str) -> None:
    path, made = tmp_path / f"a{suffix}", noise(100_000, 2)
    kind = WRITABLE[suffix]
    soundfile.write(path, made.T, 48000, kind.subtype, format=kind.container)
    with AudioReader(path) as reader:
        found = whole(reader)
        assert reader.type == Audio(Fraction(48000), 2)
        assert reader.frames == reader.taken == 100_000
    assert found.dtype == np.float32
    if suffix not in LOSSY:
        assert_close(found, made, STEP_24_BIT)


def test_chunk_size_is_limited_for_many_channels(sound: Maker) -> None:
    with AudioReader(sound("a.wav", 70_000, channels=6)) as reader:
        assert max(chunk.size for chunk in reader) <= 1 << 16


def test_any_rate_and_channel_count_is_read(sound: Maker) -> None:
    with AudioReader(sound("a.wav", rate=44101, channels=5)) as reader:
        assert reader.type == Audio(Fraction(44101), 5)
        assert reader.seconds == pytest.approx(4800 / 44101)


def _problem(path: Path, salvage: bool = False) -> tuple[str, str]:
    """Code and text of what reading a file says."""
    with pytest.raises(InputError) as caught, AudioReader(path, salvage=salvage) as reader:
        list(reader)
    return caught.value.problems[0].code, str(caught.value)


def test_missing_file_error_suggests_similar_names(sound: Maker, tmp_path: Path) -> None:
    sound("speech.wav")
    sound("music.wav")
    code, text = _problem(tmp_path / "speach.wav")
    assert code == "no-such-file"
    assert "similar names in that folder: speech.wav" in text
    assert text.splitlines()[-1] == f"  fix: {tmp_path / 'speech.wav'}"
    assert "nowhere does not exist" in _problem(tmp_path / "nowhere" / "a.wav")[1]


def test_folder_and_empty_file_are_errors(tmp_path: Path) -> None:
    assert _problem(tmp_path)[0] == "is-folder"
    empty = tmp_path / "a.wav"
    empty.touch()
    assert _problem(empty) == ("empty", f"{empty} is empty: it has 0 bytes")


def test_error_names_the_format_and_readable_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("this is no sound" * 20, encoding="utf-8")
    code, text = _problem(path)
    assert code == "not-audio"
    assert "it looks like text" in text
    assert "FLAC" in text
    path = tmp_path / "b.m4a"
    path.write_bytes(b"\0\0\0\x1cftypM4A " + bytes(400))
    assert f'fix: ffmpeg -i "{path}" "{tmp_path / "b.wav"}"' in _problem(path)[1]


def test_raw_samples_have_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(100))
    assert "raw samples have no header" in _problem(path)[1]


def test_file_without_samples_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((0, 1)), 48000)
    assert _problem(path) == ("empty", f"{path} holds no samples")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".au", ".w64", ".rf64", ".ogg"])
def test_truncated_file_is_refused_or_salvaged(tmp_path: Path, noise: Noise, suffix: str) -> None:
    path, kind = tmp_path / f"a{suffix}", WRITABLE[suffix]
    soundfile.write(path, noise(200_000).T, 48000, kind.subtype, format=kind.container)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    code, text = _problem(path)
    assert code == "truncated"
    assert "--salvage" in text
    with AudioReader(path, salvage=True) as reader:
        assert 40_000 < whole(reader).shape[1] < 160_000
        assert "truncated or damaged" in reader.notes[0]


def test_truncated_mp3_is_noted(
    tmp_path: Path, noise: Noise, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its header may only have guessed the length, so that is no error."""
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(200_000).T, 48000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with AudioReader(path) as reader:
        frames = whole(reader).shape[1]
    assert capfd.readouterr().err == ""  # the decoder's own warnings
    assert 80_000 < frames < 120_000
    assert f"declares 4.167 s, it holds {frames / 48000:.3f} s" in reader.notes[0]


def test_words_of_the_decoder_become_a_note(
    tmp_path: Path, noise: Noise, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(100_000).T, 48000)
    data = path.read_bytes()
    path.write_bytes(data[:5000] + b"\x55" * 700 + data[5700:])
    with AudioReader(path) as reader:
        whole(reader)
    assert capfd.readouterr().err == ""
    assert "the decoder says: " in reader.notes[0]
    assert "Illegal Audio-MPEG-Header" in reader.notes[0]


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
def test_streamed_wav_of_unknown_length_is_complete(sound: Maker, size: int) -> None:
    path = sound("a.wav", 48000)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(data)
    with AudioReader(path) as reader:
        assert whole(reader).shape[1] == 48000
        assert reader.notes == []


def test_damage_in_the_middle_reports_its_time(sound: Maker) -> None:
    path = sound("a.flac", 400_000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle:] = bytes(len(data) - middle)
    path.write_bytes(data)
    code, text = _problem(path)
    assert code == "truncated"
    second = float(text.partition("after ")[2].split()[0])
    assert 2.5 < second < 4.3  # the half of 8.3 s, to a chunk
