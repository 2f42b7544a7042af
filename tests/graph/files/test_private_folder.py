"""Folders that are their user's own, and what is said if they cannot be made."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.atomic_write import cannot_write
from voicegraph.graph.files.private_folder import private_folder


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's folders from others itself")
def test_private_folder_is_its_users_own(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert private_folder(made) == made


def test_folder_that_cannot_be_made_names_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file.b cannot be written: "):
        private_folder(tmp_path / "file" / "b")
    with pytest.raises(OutputError, match="file cannot be written: "):
        private_folder(tmp_path / "file")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENOSPC])
def test_users_own_folders_name_the_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    monkeypatch.setenv("VOICEGRAPH_STATE", str(tmp_path))
    (problem,) = cannot_write(tmp_path / "app" / "server.json", OSError(code, "no")).problems
    assert "set the variable VOICEGRAPH_STATE to a folder" in (problem.fix or "")
