"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.atomic_write import Staged, cannot_write, is_full


def _code(path: Path, *, force: bool = False) -> str:
    with pytest.raises(OutputError) as caught:
        Staged(path, force=force)
    return caught.value.problems[0].code


def test_name_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    staged = Staged(target)
    staged.temporary.write_text("whole")
    assert not target.exists()
    staged.commit()
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_discard_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_text("old")
    staged = Staged(target, force=True)
    staged.temporary.write_text("half")
    staged.discard()
    staged.discard()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_existing_file_needs_force(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_text("old")
    assert _code(target) == "exists"
    assert target.read_text() == "old"


def test_file_that_appears_meanwhile_is_not_lost(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    staged = Staged(target)
    target.write_text("somebody else's")
    with pytest.raises(OutputError, match="exists"):
        staged.commit()
    assert target.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_and_missing_folder(tmp_path: Path) -> None:
    assert _code(tmp_path, force=True) == "is-folder"
    assert _code(tmp_path / "nowhere" / "a.wav") == "no-such-folder"


def test_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.wav", tmp_path / "link.wav"
    real.write_text("old")
    try:
        link.symlink_to(real)
    except OSError:  # Windows without the right to make links
        pytest.skip("no symbolic links here")
    staged = Staged(link, force=True)
    staged.temporary.write_text("new")
    staged.commit()
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    staged = Staged(tmp_path / "a.wav")
    staged.commit()
    assert (tmp_path / "a.wav").stat().st_mode == other.stat().st_mode


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="needs permissions that bind",
)
def test_read_only_folder(tmp_path: Path) -> None:
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
def test_what_the_system_says_comes_with_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fix: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=r"a\.wav cannot be written") as caught:
        Staged(tmp_path / "a.wav")
    assert os.strerror(number) in str(caught.value)
    assert fix in (caught.value.problems[0].fix or "")


def test_unknown_trouble_has_no_invented_fix(tmp_path: Path) -> None:
    assert cannot_write(tmp_path / "a", OSError("odd")).problems[0].fix is None


def test_disk_is_asked(tmp_path: Path) -> None:
    assert not is_full(tmp_path)
    assert not is_full(tmp_path / "nowhere")
