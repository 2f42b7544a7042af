"""Contents of files, hashed once a version."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph import file_contents
from voicegraph.graph.file_contents import (
    files_read,
    read_content,
    read_contents,
    require_unchanged,
)
from voicegraph.graph.node import FilePath, NodeParams

HOUR_NS = 3600 * 10**9


def _written(path: Path, text: str, age_ns: int = HOUR_NS) -> Path:
    path.write_text(text)
    time = path.stat().st_mtime_ns - age_ns
    os.utime(path, ns=(time, time))
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose contents were read."""
    found: list[str] = []

    def digest(file: Any, kind: str) -> Any:
        found.append(Path(file.name).name)
        return hashlib.new(kind, file.read())

    monkeypatch.setattr(file_contents.hashlib, "file_digest", digest)
    monkeypatch.setattr(file_contents, "_cached", file_contents._cached.copy())
    return found


def test_a_file_is_read_once_a_version(tmp_path: Path, hashed: list[str]) -> None:
    path = _written(tmp_path / "a", "12345")
    one, other = read_content(path), read_content(path)
    assert one == other
    assert one is not None
    assert one.sha256 == hashlib.sha256(b"12345").hexdigest()
    assert hashed == ["a"]
    _written(path, "67890", 2 * HOUR_NS)
    assert read_content(path) != one
    assert hashed == ["a", "a"]


def test_a_file_that_has_just_changed_is_read_again(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time has not the resolution to tell two changes apart."""
    monkeypatch.setattr(file_contents, "file_version", lambda s: (s.st_size, s.st_mtime_ns))
    path = _written(tmp_path / "a", "12345", 0)
    before, time = read_content(path), path.stat().st_mtime_ns
    path.write_text("67890")
    os.utime(path, ns=(time, time))
    assert read_content(path) != before
    assert hashed == ["a", "a"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no time of the last change of any kind")
def test_a_copy_that_keeps_the_time_is_another_version(tmp_path: Path, hashed: list[str]) -> None:
    path = _written(tmp_path / "a", "12345")
    before, times = read_content(path), path.stat()
    path.write_text("67890")  # in place, as `cp -p` does
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read_content(path) != before
    assert hashed == ["a", "a"]


def test_the_cache_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_contents, "_MOST_CACHED", 3)
    monkeypatch.setattr(file_contents, "_cached", file_contents.OrderedDict())
    for number in range(9):
        read_content(_written(tmp_path / str(number), str(number)))
    assert len(file_contents._cached) == 3


def test_a_folder_of_hugging_faces_cache_is_its_snapshot(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--a--b" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "pytorch_model.bin").write_bytes(b"1")
    found = read_content(tmp_path / "models--a--b")
    alone = read_content(snapshot)
    assert found is not None
    assert alone is not None
    assert (found.size, found.sha256) == (1, alone.sha256)
    require_unchanged(found)


def test_a_folder_is_the_names_and_contents_of_its_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "inside").mkdir(parents=True)
        _written(tmp_path / name / "model", "12345")
        _written(tmp_path / name / "config", "{}")
    one, two = read_content(tmp_path / "one"), read_content(tmp_path / "two")
    assert one is not None
    assert two is not None
    assert (one.sha256, one.size) == (two.sha256, 7)
    (tmp_path / "two" / "config").rename(tmp_path / "two" / "other")
    renamed = read_content(tmp_path / "two")
    assert renamed is not None
    assert renamed.sha256 != one.sha256


def test_missing_files_are_left_out(tmp_path: Path) -> None:
    here = _written(tmp_path / "a", "1")
    found = read_contents({"n.a": here, "n.b": tmp_path / "b", "m.a": here})
    assert list(found) == ["n.a", "m.a"]
    assert found["n.a"] is found["m.a"]


def test_files_in_lists_and_tables_are_found() -> None:
    class Many(NodeParams):
        one: FilePath | None = None
        some: list[FilePath] = []
        named: dict[str, FilePath] = {}

    params = Many(one=Path("a"), some=[Path("b"), Path("c")], named={"x": Path("d")})
    found = files_read(params)
    assert {name: path.name for name, path in found.items()} == {
        "one": "a", "some.0": "b", "some.1": "c", "named.x": "d"
    }  # fmt: skip
