"""Names of the files of a recording, beside ``NAME.jsonl``."""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".in.wav", ".out.wav", ".start.safetensors")
"""Of the files beside the events file."""


def input_path(path: Path) -> Path:
    """The sound file of the input."""
    return path.with_suffix(ENDINGS[0])


def output_path(path: Path) -> Path:
    """The sound file of the output."""
    return path.with_suffix(ENDINGS[1])


def start_path(path: Path) -> Path:
    """The snapshot of the session at the begin, if that was not the session's begin."""
    return path.with_suffix(ENDINGS[2])


def recorded_files(path: Path) -> tuple[Path, ...]:
    """All files that a recording may have."""
    return path, *(path.with_suffix(ending) for ending in ENDINGS)
