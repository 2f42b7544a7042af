"""Files that are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.errors import OutputError
from voicegraph.training.voice import workdir
from voicegraph.training.voice.workdir import write_whole


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OutputError, match="disk full"):
        write_whole(tmp_path / "a.npz", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("PytorchStreamWriter failed writing file")

    with pytest.raises(RuntimeError, match="Pytorch"):
        write_whole(tmp_path / "a.pt", fail)
    monkeypatch.setattr(workdir, "is_full", lambda _: True)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(tmp_path / "a.pt", fail)
    assert list(tmp_path.iterdir()) == []
