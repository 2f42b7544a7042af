"""Files that are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.voices.workplace import write_whole


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a.npz", fail)
    assert list(tmp_path.iterdir()) == []
