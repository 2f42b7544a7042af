"""The folder of a bundle: it appears when it is complete, and replaces nothing but a bundle."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voicegraph.schemas.bundle import MANIFEST, BundleFile

from ..errors import OutputError, Problem
from ..files.atomic_write import reported_errors

_AT_ONCE = 1 << 20


def check_folder(folder: Path, force: bool) -> None:
    """Checks that a bundle may be written there.

    Raises:
        OutputError: for anything but an empty folder; with ``force`` a bundle may be replaced.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    bundle = folder.is_dir() and (folder / MANIFEST).is_file()
    if bundle and force:
        return
    text, fix = f"{folder} exists, and is no bundle", "give a folder that does not exist"
    if bundle:
        text, fix = f"{folder} exists: it holds a bundle", "--force, to replace it"
    raise OutputError(Problem("exists", text, fix=fix))


@contextmanager
def folder_in_place(folder: Path, force: bool) -> Iterator[Path]:
    """A temporary folder beside the final one, which it becomes at the end of the block.

    Raises:
        OutputError: if it cannot be written, or the final one has come into being.
    """
    with reported_errors(folder, folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            yield made
            check_folder(folder, force)
            made.chmod(0o777 & ~_umask())
            if folder.is_dir():
                shutil.rmtree(folder)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def hashed(folder: Path) -> Iterator[BundleFile]:
    """All files in a folder, by name."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_AT_ONCE):
                digest.update(piece)
        yield BundleFile(
            path=path.relative_to(folder).as_posix(),
            bytes=path.stat().st_size,
            sha256=digest.hexdigest(),
        )
