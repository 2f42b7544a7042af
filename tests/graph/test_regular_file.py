"""Regular files alone are opened, without blocking; names that no file can have are explained."""

from __future__ import annotations

import errno
import os
import pickle
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicegraph.graph import regular_file
from voicegraph.graph.errors import InputError, PipelineError, StateError, VoicegraphError
from voicegraph.graph.files.models import open_archive
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.loading.load import load_pipeline
from voicegraph.graph.regular_file import (
    FileNameError,
    NotRegularFileError,
    name_fault,
    open_regular,
    open_regular_unbuffered,
    shortened,
)
from voicegraph.graph.runtime.snapshot import Snapshot

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The name of a socket may have about 100 characters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    with open_regular(tmp_path / "a") as file, open_regular_unbuffered(str(file.name)) as raw:
        assert (file.read(), raw.read()) == (b"text", b"text")


def test_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


@posix
def test_special_files_are_refused_by_their_kind(short_folder: Path) -> None:
    os.mkfifo(short_folder / "pipe")
    (short_folder / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short_folder / "socket"))
        found = {}
        for path in (short_folder / "pipe", short_folder / "link", short_folder / "socket",
                     short_folder, Path("/dev/zero"), Path("/dev/stdin")):  # fmt: skip
            with pytest.raises(OSError) as caught:  # noqa: PT011
                open_regular(path)
            found[path.name] = getattr(caught.value, "kind", None)
    assert found["pipe"] == found["link"] == "a pipe"
    assert found["socket"] == "a socket"
    assert found[short_folder.name] == "a folder"
    assert found["zero"] == "a device"


@posix
def test_what_was_opened_is_checked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that becomes a pipe between the check and the opening."""
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(regular_file, "require_regular", lambda path: None)
    with pytest.raises(NotRegularFileError):
        open_regular(tmp_path / "pipe")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_kernel_entries_are_refused() -> None:
    assert stat.S_ISREG(Path("/proc/self/status").stat().st_mode)
    with pytest.raises(NotRegularFileError, match="an entry of the kernel"):
        open_regular("/proc/self/status")


@pytest.mark.parametrize("name", ["NUL", "con", "aux.yaml", "sub\\COM1", r"\\.\PhysicalDrive0"])
def test_windows_devices_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotRegularFileError, match="a device"):
        open_regular(name)
    with pytest.raises(FileNotFoundError):
        open_regular("console.yaml")


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000, "a/" * 4000])
def test_impossible_names_are_explained(name: str) -> None:
    assert name_fault(name)
    with pytest.raises(FileNameError) as caught:
        open_regular(name)
    assert len(str(caught.value)) < 300


def test_links_in_a_circle_are_explained(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match=r"."):
        open_regular(tmp_path / "a")
    assert name_fault(tmp_path / "a") is None  # the link itself exists


def test_errors_survive_another_process(tmp_path: Path) -> None:
    with pytest.raises(NotRegularFileError) as caught:
        open_regular(tmp_path)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.kind, again.errno) == ("a folder", errno.EISDIR)


def test_long_names_are_shortened() -> None:
    assert shortened("short.yaml") == "short.yaml"
    assert len(shortened("x" * 5000)) < 130


def _bad_names(folder: Path) -> list[Path]:
    os.mkfifo(folder / "pipe.yaml")
    long = folder / ("x" * 5000 + ".yaml")
    return [folder / "pipe.yaml", Path("/dev/zero"), long, folder / "a\0.yaml", Path("\ud800.yaml")]


@posix
@pytest.mark.parametrize(
    ("read", "error"),
    [
        (load_pipeline, PipelineError),
        (open_archive, InputError),
        (open_recording, StateError),
        (Snapshot.load, StateError),
        (AudioReader, InputError),
    ],
)
def test_every_reader_refuses_them(
    read: object, error: type[VoicegraphError], tmp_path: Path
) -> None:
    for path in _bad_names(tmp_path):
        with pytest.raises(error) as caught:
            read(path)  # pyright: ignore[reportCallIssue]
        assert len(str(caught.value)) < 1000, path
