"""Files appear complete or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph import Audio, Snapshot
from voicegraph.graph.errors import OutputError
from voicegraph.graph.files import atomic_write as module
from voicegraph.graph.files.atomic_write import (
    AtomicFile,
    atomic_write,
    cannot_write,
    is_full,
    write_text,
)
from voicegraph.graph.files.sound.writer import AudioWriter


def _code(path: Path, *, force: bool = False) -> str:
    with pytest.raises(OutputError) as caught:
        AtomicFile(path, force=force)
    return caught.value.problems[0].code


def test_name_appears_when_the_file_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    with atomic_write(target) as temporary:
        temporary.write_text("complete")
        assert not target.exists()
    assert target.read_text() == "complete"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError("bug"), KeyboardInterrupt()])
def test_failure_leaves_the_old_file_alone(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "a.wav"
    target.write_text("old")

    def fail() -> None:
        with atomic_write(target, force=True) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(OutputError if isinstance(error, OSError) else type(error)):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_discard_can_be_called_twice(tmp_path: Path) -> None:
    file = AtomicFile(tmp_path / "a.wav")
    file.discard()
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_library_errors_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_full", lambda _: True)
    with pytest.raises(OutputError, match="No space left"), atomic_write(tmp_path / "a.pt"):
        raise RuntimeError("PytorchStreamWriter failed writing file")
    assert list(tmp_path.iterdir()) == []


def test_existing_file_needs_force(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_text("old")
    assert _code(target) == "exists"
    assert target.read_text() == "old"


def test_file_created_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    with pytest.raises(OutputError, match="exists"), atomic_write(target):
        target.write_text("somebody else's")
    assert target.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_and_file_in_place_of_a_folder_are_errors(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _code(tmp_path, force=True) == "is-folder"
    assert _code(tmp_path / "file" / "a.wav") == "not-a-folder"
    assert _code(tmp_path / "file" / "deep" / "a.wav") == "not-a-folder"


def test_name_that_no_file_can_have_is_an_error(tmp_path: Path) -> None:
    assert _code(tmp_path / "a\0b.wav") == "cannot-write"
    assert _code(tmp_path / ("a" * 5000)) == "cannot-write"


def test_folders_that_were_made_for_nothing_are_removed(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    first = AtomicFile(tmp_path / "old" / "new" / "er" / "a.wav")
    second = AtomicFile(tmp_path / "old" / "new" / "er" / "b.wav")
    assert (tmp_path / "old" / "new" / "er").is_dir()
    second.discard()
    first.discard()
    assert list((tmp_path / "old").iterdir()) == []


def test_error_while_closing_after_a_full_disk_is_reported_as_such(tmp_path: Path) -> None:
    """As in ``zipfile``, which raises a ValueError while it closes a file that has no room."""

    def write() -> None:
        try:
            raise OSError(28, "No space left on device")
        finally:
            raise ValueError("Can't close the ZIP file")

    with pytest.raises(OutputError, match="No space left"), atomic_write(tmp_path / "a.npz"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "new" / "er" / "a.wav") as temporary:
        temporary.write_text("complete")
    assert (tmp_path / "new" / "er" / "a.wav").read_text() == "complete"


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Grüße\n")
    assert (tmp_path / "a.txt").read_bytes() == "Grüße\n".encode()


def test_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.wav", tmp_path / "link.wav"
    real.write_text("old")
    try:
        link.symlink_to(real)
    except OSError:  # Windows without the right to make links
        pytest.skip("no symbolic links here")
    with atomic_write(link, force=True) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_file_and_folder_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, events = tmp_path / "a.wav", []
    monkeypatch.setattr(os, "fsync", lambda handle: events.append(os.fstat(handle)))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda *paths: (events.append("renamed"), replace(*paths)))
    with atomic_write(target) as temporary:
        temporary.write_text("complete")
    assert os.path.samestat(events[0], target.stat())
    assert events[1] == "renamed"
    if os.name != "nt":  # Windows cannot open a folder
        assert os.path.samestat(events[2], tmp_path.stat())


def _save_audio(path: Path) -> None:
    with AudioWriter(path, Audio(Fraction(16000), 1), force=True) as writer:
        writer.write(np.zeros((1, 160), np.float32))


def _save_snapshot(path: Path) -> None:
    Snapshot("plan", 0, {}, {"a": torch.zeros(3)}).save(path)


def _save_text(path: Path) -> None:
    write_text(path, "text")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(
    ("name", "save"),
    [("a.wav", _save_audio), ("a.safetensors", _save_snapshot), ("a.txt", _save_text)],
)
def test_permissions_are_those_of_any_new_file(
    tmp_path: Path, name: str, save: Callable[[Path], None]
) -> None:
    other = tmp_path / "other"
    other.touch()
    save(tmp_path / name)
    assert (tmp_path / name).stat().st_mode == other.stat().st_mode


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="needs permissions that bind",
)
def test_read_only_folder_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert _code(folder / "a.wav") == "cannot-write"


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "that you may write to"),
        (errno.ENAMETOOLONG, "shorter name"),
    ],
)
def test_system_errors_come_with_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fix: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=r"a\.wav cannot be written") as caught:
        AtomicFile(tmp_path / "a.wav")
    assert os.strerror(number) in str(caught.value)
    assert fix in (caught.value.problems[0].fix or "")


def test_unknown_error_has_no_invented_fix(tmp_path: Path) -> None:
    assert cannot_write(tmp_path / "a", OSError("odd")).problems[0].fix is None


def test_disk_with_room_is_not_full(tmp_path: Path) -> None:
    assert not is_full(tmp_path)
    assert not is_full(tmp_path / "nowhere")


def test_folder_that_cannot_be_synced_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse_folders(path: Any, *rest: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", refuse_folders)
    write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "text"
