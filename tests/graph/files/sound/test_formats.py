"""Endings, encodings, and what is no audio."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.sound.formats import WRITABLE, Format, format_of


@pytest.mark.parametrize("suffix", WRITABLE)
def test_libsndfile_supports_every_format_in_the_table(suffix: str) -> None:
    found = WRITABLE[suffix]
    assert soundfile.check_format(found.container, found.subtype)


def test_extension_selects_the_format_in_any_case() -> None:
    assert format_of(Path("a.WAV")) == Format("WAV", "PCM_24")
    assert format_of(Path("a.flac"), "pcm-16") == Format("FLAC", "PCM_16")


def test_unknown_extension_lists_the_known_ones() -> None:
    with pytest.raises(OutputError, match=r"a\.m4a ends in \.m4a.*\.flac") as caught:
        format_of(Path("a.m4a"))
    assert caught.value.problems[0].fix == "a.wav"
    with pytest.raises(OutputError, match="has no extension"):
        format_of(Path("a"))


def test_unknown_encoding_lists_those_of_the_format() -> None:
    with pytest.raises(OutputError, match="pcm_s8, pcm_16, pcm_24") as caught:
        format_of(Path("a.flac"), "float")
    assert caught.value.problems[0].code == "unknown-subtype"
    with pytest.raises(OutputError) as caught:
        format_of(Path("a.wav"), "pcm16")
    assert caught.value.problems[0].fix == "--subtype pcm_16"
    with pytest.raises(OutputError, match="they have: mpeg_layer_iii\n") as caught:
        format_of(Path("a.mp3"), "pcm_16")
    assert caught.value.problems[0].fix == (
        "leave --subtype out; --bitrate or --quality choose the size"
    )
    with pytest.raises(OutputError) as caught:
        format_of(Path("a.flac"), "float")
    assert caught.value.problems[0].fix == "--subtype pcm_24"


def test_sample_sizes_of_uncompressed_formats_are_known() -> None:
    assert Format("WAV", "PCM_24").lossless_bytes == 3
    assert Format("FLAC", "PCM_24").lossless_bytes is None
    assert Format("OGG", "VORBIS").lossless_bytes is None
