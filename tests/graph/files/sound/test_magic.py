"""Files that are no readable audio are named by their first bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound._magic import begins_as_readable, recognise
from voicegraph.graph.files.sound.reader import AudioReader


def _wav(codec: int, samples: bytes | None = bytes(64)) -> bytes:
    form = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, codec, 1, 48000, 96000, 2, 16)
    if samples is not None:
        form += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(form)) + form


@pytest.mark.parametrize(
    ("content", "words", "sound"),
    [
        (b"\0\0\0\x1cftypM4A " + bytes(50), "MP4", True),
        (b"\0\0\0\x1cftypheic" + bytes(50), "HEIF picture", False),
        (b"\x1aE\xdf\xa3....", "Matroska", True),
        (b"0&\xb2u\x8ef\xcf\x11", "Windows Media", True),
        (b"#!AMR\n", "AMR", True),
        (b"\xff\xf1L\x80", "AAC", True),
        (b"\x0bw\r\xc0", "AC-3", True),
        (b"RIFF\0\0\0\0AVI LIST", "AVI video", True),
        (b"MThd\0\0\0\6", "MIDI file, which holds notes", False),
        (b"\x89PNG\r\n", "PNG picture", False),
        (b"<!DOCTYPE html><html>", "web page", False),
        ("Grüße\n".encode(), "text", False),
        (_wav(0x161), "WAV file with codec 0x0161 (WMA 2)", True),
        (_wav(0xABCD), "WAV file with codec 0xABCD", True),
        (_wav(1, None), "WAV file without samples", True),
        (_wav(1)[:24], "WAV file that ends in its header", True),
        (b"OggS" + bytes(24) + b"Speex   ", "Ogg file with codec Speex", True),
        (b"caff\0\1\0\0desc" + bytes(16) + b"alac", "CAF file with codec 'alac'", True),
        (b"FORM\0\0\0\4AIFF", "AIFF file without samples", True),
        (b"fLaC\0\0\0\x22", "FLAC file that ends in its header", True),
        (b"ID3\4\0\0\0\0\0\0", "MP3 file without sound", True),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, words: str, sound: bool) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    found = recognise(path)
    assert found is not None
    assert words in found.what
    assert found.sound is sound
    with pytest.raises(InputError) as caught:
        AudioReader(path)
    assert found.what in str(caught.value)
    assert "no known audio format" not in str(caught.value)


def test_unknown_bytes_are_not_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\0\1\2\3\4")
    assert recognise(path) is None


def test_conversion_advice_does_not_name_a_file_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x1cftypM4A " + bytes(50))
    (tmp_path / "a.wav").touch()
    with pytest.raises(InputError) as caught:
        AudioReader(path)
    assert caught.value.problems[0].fix == f'ffmpeg -i "{path}" "{tmp_path / "a.m4a.wav"}"'


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG"])
def test_readable_files_are_recognised_without_an_ending(tmp_path: Path, container: str) -> None:
    path = tmp_path / "recording"
    soundfile.write(path, np.zeros(100), 48000, format=container)
    assert begins_as_readable(path)
