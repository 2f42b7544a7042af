"""Files of a voice's working folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.errors import OutputError
from voicegraph.training.voice.workdir import write_whole


def test_file_is_complete_or_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OutputError, match="disk full"):
        write_whole(tmp_path / "new" / "a.npz", fail)
    assert list((tmp_path / "new").iterdir()) == []
