"""An empty library, and small files of everything that an RVC voice takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    """A folder with ``voice.pth``, ``plain.pth``, ``hubert.safetensors`` and ``added.index``."""
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return folder


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty library; the working directory is another one."""
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "data" / "voices"
