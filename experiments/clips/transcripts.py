"""Transcripts that lie beside recordings, as in LibriSpeech: ``103-1240.trans.txt``."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph.regular_file import open_regular

_MAX_BYTES = 4 << 20


def transcript_beside(path: Path, cache: dict[Path, dict[str, str]]) -> str | None:
    """What is said in a recording, by the ``*.trans.txt`` of its folder; None without one.

    Args:
        path: the recording.
        cache: transcripts by folder, which are read once.
    """
    folder = path.parent
    if folder not in cache:
        cache[folder] = _read_folder(folder)
    return cache[folder].get(path.stem)


def _read_folder(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.trans.txt")):
        for line in _lines(file):
            name, _, words = line.partition(" ")
            if name and words.strip():
                found[name] = words.strip()
    return found


def _lines(path: Path) -> list[str]:
    """The lines of a file; none if it cannot be read, since nobody named it."""
    try:
        with open_regular(path) as file:
            return file.read(_MAX_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
