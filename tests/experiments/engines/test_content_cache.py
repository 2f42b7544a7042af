"""The cache of other machines' files: found by content, checked, and kept small."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from voicegraph.experiments.engines._content_cache import SETTING, ContentCache, Shipment
from voicegraph.graph.errors import InputError
from voicegraph.graph.file_contents import read_content


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path / "cache")


def file_of(folder: Path, name: str, data: bytes) -> tuple[Path, str]:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path, sha256(data).hexdigest()


def test_a_file_keeps_its_name_and_contents(cache: ContentCache, tmp_path: Path) -> None:
    path, content = file_of(tmp_path / "there", "a voice.pth", b"weights")
    added = cache.add(content, Shipment.read(path, content))
    assert added.name == "a voice.pth"
    assert cache.find(content, ".pth") == added
    assert added.read_bytes() == b"weights"


@pytest.mark.skipif(os.name == "nt", reason="files of Windows are programs by their names")
def test_a_program_stays_one(cache: ContentCache, tmp_path: Path) -> None:
    path, content = file_of(tmp_path / "there", "convert.sh", b"#!/bin/sh")
    path.chmod(0o755)
    assert os.access(cache.add(content, Shipment.read(path, content)), os.X_OK)


def test_a_folder_travels_with_the_files_in_it(cache: ContentCache, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    file_of(folder, "config.json", b"{}")
    file_of(folder, "model.bin", b"weights")
    found = read_content(folder)
    assert found is not None
    added = cache.add(found.sha256, Shipment.read(folder, found.sha256))
    assert sorted(path.name for path in added.iterdir()) == ["config.json", "model.bin"]
    assert cache.find(found.sha256, folder.suffix) == added


def test_the_same_contents_under_another_ending_are_another_file(
    cache: ContentCache, tmp_path: Path
) -> None:
    path, content = file_of(tmp_path / "there", "a.wav", b"sound")
    cache.add(content, Shipment.read(path, content))
    assert cache.find(content, ".raw") is None


def test_a_damaged_file_is_not_found(cache: ContentCache, tmp_path: Path) -> None:
    path, content = file_of(tmp_path / "there", "a.wav", b"sound")
    cache.add(content, Shipment.read(path, content)).write_bytes(b"sounb")
    assert cache.find(content, ".wav") is None


def test_a_file_that_changed_does_not_travel(tmp_path: Path) -> None:
    path, content = file_of(tmp_path / "there", "a.wav", b"sound")
    path.write_bytes(b"other")
    with pytest.raises(InputError, match="has changed") as caught:
        Shipment.read(path, content)
    assert caught.value.problems[0].code == "file-changed"


def test_what_was_not_used_for_longest_goes_first(cache: ContentCache, tmp_path: Path) -> None:
    contents: list[str] = []
    for age, data in enumerate([b"newest", b"middle", b"oldest"]):
        path, content = file_of(tmp_path / "there", f"{age}.wav", data)
        entry = cache.add(content, Shipment.read(path, content)).parent
        os.utime(entry, (1000.0 - age, 1000.0 - age))
        contents.append(content)
    cache.trim(most=12)
    assert [path.name for path in sorted(cache.path.glob("*"))] == sorted(contents[:2])


def test_what_others_may_be_using_stays(cache: ContentCache, tmp_path: Path) -> None:
    path, content = file_of(tmp_path / "there", "a.wav", b"sound")
    cache.add(content, Shipment.read(path, content))
    cache.trim(most=0)
    assert cache.find(content, ".wav") is not None


def test_an_environment_variable_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path))
    assert ContentCache().path == tmp_path
