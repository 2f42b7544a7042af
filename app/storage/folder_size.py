"""Sizes of folders, room on the disk, and removal that a reader cannot see half done."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

TRASH = ".trash-"
"""Begins the names of folders that are being removed."""


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder and below; what vanishes meanwhile counts as nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118
    return total


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk that holds a folder, or its nearest parent that exists."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def remove_folder(folder: Path) -> None:
    """Removes a folder: at once under its name, its files as soon as nobody has them open.

    What Windows keeps because it is open goes with the next call of :func:`empty_trash`.

    Raises:
        OSError: if it cannot be renamed.
    """
    trash = folder.with_name(f"{TRASH}{secrets.token_hex(6)}")
    try:
        folder.rename(trash)
    except FileNotFoundError:
        return
    shutil.rmtree(trash, ignore_errors=True)


def empty_trash(parent: Path) -> None:
    """Removes what is left of folders that were removed."""
    for trash in parent.glob(f"{TRASH}*"):
        shutil.rmtree(trash, ignore_errors=True)
