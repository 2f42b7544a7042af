from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from voicegraph.graph.files.user_folders import data_folder, private_folder, state_folder


def test_variables_name_the_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VOICEGRAPH_STATE", "state")
    monkeypatch.chdir(tmp_path)
    assert data_folder() == tmp_path / "data"
    assert state_folder() == tmp_path / "state"


def test_folders_of_the_system_are_the_programs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VOICEGRAPH_DATA", "VOICEGRAPH_STATE"):
        monkeypatch.setenv(variable, "")
    assert "voicegraph" in data_folder().parts
    assert "voicegraph" in state_folder().parts
    assert data_folder().is_absolute()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's folders from others itself")
def test_private_folder_is_its_users_own(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert private_folder(made) == made
