"""Files that appear under their name only when they are complete."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path

from ..errors import OutputError, Problem

_FULL = 1 << 20
"""Bytes: a disk with less left than this is called full."""


class Staged:
    """A file in the making: written beside its target, then renamed in one step.

    A reader never meets half a file, an old file stays until the new one is whole, and a failed run
    leaves nothing behind.

    Args:
        target: the name it will have.
        force: replace what is there.

    Attributes:
        temporary: where to write.

    Raises:
        OutputError: if the target exists and ``force`` is not set, is a folder, or its folder is
            missing or not writable.
    """

    def __init__(self, target: Path, *, force: bool = False) -> None:
        self.target = target
        self.force = force
        check_target(target, force)
        # A link stays a link: the file that it names is replaced.
        self._place = target.resolve() if target.is_symlink() else target
        self.temporary = self._place.with_name(f".voicegraph-{secrets.token_hex(6)}.part")
        try:
            # Made here and not by the writing library, for the operating system says what is wrong.
            os.close(os.open(self.temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise cannot_write(target, error) from None

    def commit(self) -> None:
        """Gives the file its name.

        Raises:
            OutputError: if something stands there by now, or the folder is gone.
        """
        try:
            check_target(self.target, self.force)
            self.temporary.replace(self._place)
        except OSError as error:
            raise cannot_write(self.target, error) from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Removes the unfinished file. Safe to call twice, and after :meth:`commit`."""
        self.temporary.unlink(missing_ok=True)


def check_target(target: Path, force: bool) -> None:
    """Whether a file may be written under this name.

    Raises:
        OutputError: as :class:`Staged`, before anything is written.
    """
    folder = target.parent
    if target.is_dir():
        text = f"{target} is a folder"
        raise OutputError(
            Problem("is-folder", text, fix=f"{target}{os.sep} as a folder for outputs")
        )
    if not folder.is_dir():
        text = f"{target} cannot be written: there is no folder {folder}"
        raise OutputError(Problem("no-such-folder", text, fix=f'mkdir "{folder}"'))
    if target.exists() and not force:
        text = f"{target} exists"
        raise OutputError(Problem("exists", text, fix="--force replaces it, or give another name"))


def cannot_write(target: Path, error: OSError) -> OutputError:
    """What the operating system says about a file that cannot be written."""
    folder = target.parent
    fixes = {
        errno.ENOSPC: "make room, or give a name on another disk",
        errno.EDQUOT: "make room, or give a name on another disk",
        errno.EROFS: "give a name on another disk: this one is read-only",
        errno.EACCES: f"give a name in a folder that you may write to, not in {folder.resolve()}",
        errno.EPERM: f"give a name in a folder that you may write to, not in {folder.resolve()}",
        errno.ENAMETOOLONG: "give a shorter name",
    }
    reason = error.strerror or str(error)
    text = f"{target} cannot be written: {reason}"
    return OutputError(Problem("cannot-write", text, fix=fixes.get(error.errno or 0)))


def is_full(folder: Path) -> bool:
    """Whether the disk that holds a folder has no room left."""
    try:
        return shutil.disk_usage(folder).free < _FULL
    except OSError:
        return False
