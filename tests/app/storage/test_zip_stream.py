"""Archives that are made while they are sent."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from voicegraph.app.storage import zip_chunks


def test_archive_holds_the_files_under_their_names(tmp_path: Path) -> None:
    contents = {"album/ä.wav": os.urandom(700_000), "b.wav": b"", "c.wav": b"sound"}
    files = []
    for number, (name, data) in enumerate(contents.items()):
        (tmp_path / str(number)).write_bytes(data)
        files.append((name, tmp_path / str(number)))
    os.utime(tmp_path / "1", (0, 0))  # before the first year that the format knows
    parts = list(zip_chunks(files))
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
    assert max(map(len, parts)) < 300_000, "no file is in memory as a whole"


def test_file_that_is_gone_breaks_the_archive_off(tmp_path: Path) -> None:
    chunks = zip_chunks([("a.wav", tmp_path / "a")])
    with pytest.raises(OSError, match="a"):
        list(chunks)


def test_sizes_beyond_32_bits_are_foreseen(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(5 << 30)  # takes no space
    chunks = zip_chunks([("large.wav", tmp_path / "large")])
    head = next(chunks)
    chunks.close()
    name = int.from_bytes(head[26:28], "little")
    assert head[30 + name : 32 + name] == b"\x01\x00", "the extra field of ZIP64"
