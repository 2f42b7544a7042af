"""Joined files are read through all their parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound._parts import find_parts
from voicegraph.graph.files.sound.formats import WRITABLE
from voicegraph.graph.files.sound.reader import AudioReader

Noise = Callable[..., np.ndarray]


def _encoded(path: Path, samples: np.ndarray, rate: int = 48000) -> bytes:
    kind = WRITABLE[path.suffix]
    soundfile.write(path, samples.T, rate, kind.subtype, format=kind.container)
    return path.read_bytes()


def _whole(path: Path, salvage: bool = False) -> tuple[np.ndarray, list[str]]:
    with AudioReader(path, salvage=salvage) as reader:
        return np.concatenate(list(reader), axis=1), reader.notes


@pytest.mark.parametrize("suffix", [".ogg", ".opus", ".flac", ".wav", ".aiff"])
def test_joined_files_are_read_to_the_end(tmp_path: Path, noise: Noise, suffix: str) -> None:
    one, two = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    joined = tmp_path / f"both{suffix}"
    parts = [_encoded(one, noise(13_001)), _encoded(two, noise(6_000, seed=1))]
    joined.write_bytes(b"".join([*parts, parts[0]]))
    expected = np.concatenate([_whole(path)[0] for path in (one, two, one)], axis=1)
    found, notes = _whole(joined)
    np.testing.assert_array_equal(found, expected)
    assert notes == []
    assert len(find_parts(joined)) == 3


def test_part_of_another_rate_is_an_error(tmp_path: Path, noise: Noise) -> None:
    first = _encoded(tmp_path / "1.ogg", noise(9_000))
    second = _encoded(tmp_path / "2.ogg", noise(9_000), 44_100)
    joined = tmp_path / "both.ogg"
    joined.write_bytes(first + second)
    with pytest.raises(InputError, match="44100 Hz"):
        _whole(joined)
    found, notes = _whole(joined, salvage=True)
    assert found.shape[1] == 9_000
    assert "it goes on as" in notes[0]


def test_cut_second_part_is_reported(tmp_path: Path, noise: Noise) -> None:
    whole = _encoded(tmp_path / "1.ogg", noise(48_000))
    joined = tmp_path / "both.ogg"
    joined.write_bytes(whole + whole[: len(whole) * 3 // 4])
    with pytest.raises(InputError, match="its end is missing"):
        _whole(joined)
    assert _whole(joined, salvage=True)[0].shape[1] > 48_000
