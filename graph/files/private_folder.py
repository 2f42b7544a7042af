"""Folders that other users of the machine cannot read."""

from __future__ import annotations

from pathlib import Path

from .atomic_write import cannot_write


def private_folder(path: Path) -> Path:
    """Makes a folder that other users of the machine cannot read, if it is missing.

    Raises:
        OutputError: if it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    return path
