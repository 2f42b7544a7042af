from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.files.user_folders import data_folder, state_folder, variable_of


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


def test_files_in_a_folder_know_the_variable_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VOICEGRAPH_STATE", str(tmp_path / "state"))
    assert variable_of(tmp_path / "data" / "presets" / "a.yaml") == "VOICEGRAPH_DATA"
    assert variable_of(tmp_path / "state") == "VOICEGRAPH_STATE"
    assert variable_of(tmp_path) is None
