from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty library."""
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "voices"
