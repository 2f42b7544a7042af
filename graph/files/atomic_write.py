"""Atomic file writing: a file gets its name only when it is complete and on the disk."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError, Problem, VoicegraphError

_FULL = 1 << 20
"""A disk with fewer free bytes than this counts as full."""


class AtomicFile:
    """A file that is written under a temporary name in the target's folder, then renamed.

    A reader never sees an incomplete file, an existing file stays until its replacement is
    complete, and a failed run leaves nothing behind. The file has the permissions of any new file,
    even if the library that writes it makes a private one.

    Args:
        target: the final name.
        force: replace an existing file.

    Attributes:
        temporary: the name to write to. The file exists already, empty.

    Raises:
        OutputError: if the target exists and ``force`` is not set, is a folder, or its folder is
            missing or not writable.
    """

    def __init__(self, target: Path, *, force: bool = False) -> None:
        self.target = target
        self.force = force
        check_target(target, force)
        # A symbolic link stays: the file that it points to is replaced.
        self._destination = target.resolve() if target.is_symlink() else target
        self.temporary = self._destination.with_name(f".voicegraph-{secrets.token_hex(6)}.part")
        try:
            # Created here because some libraries hide why the system refuses to create a file.
            handle = os.open(self.temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except OSError as error:
            raise cannot_write(target, error) from None
        self._mode = stat.S_IMODE(os.fstat(handle).st_mode)
        os.close(handle)

    def commit(self) -> None:
        """Flushes the file to the disk and renames it to its target.

        Raises:
            OutputError: if the target was created in the meantime and ``force`` is not set, or the
                system refuses.
        """
        try:
            check_target(self.target, self.force)
            # Some libraries replace the file by a private one of their own.
            if stat.S_IMODE(self.temporary.stat().st_mode) != self._mode:
                self.temporary.chmod(self._mode)
            _sync(self.temporary, os.O_RDWR)
            self.temporary.replace(self._destination)
            _sync_folder(self._destination.parent)
        except OSError as error:
            raise cannot_write(self.target, error) from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Removes the temporary file. Safe to call twice, and after :meth:`commit`."""
        self.temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write(target: Path, *, force: bool = False, make_folder: bool = False) -> Iterator[Path]:
    """Gives a temporary name to write to; at the end of the block the file gets its final name.

    After an exception the temporary file is removed, and an existing target stays as it was.

    Args:
        target: the final name.
        force: replace an existing file.
        make_folder: create the target's folder if it is missing.

    Raises:
        OutputError: as :class:`AtomicFile`, and for every ``OSError`` in the block; for any other
            error of a library if the disk is full.
    """
    try:
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        file = AtomicFile(target, force=force)
    except OSError as error:
        raise cannot_write(target, error) from None
    try:
        yield file.temporary
        file.commit()
    except OSError as error:
        raise cannot_write(target, error) from None
    except VoicegraphError:
        raise
    except Exception:
        # Libraries raise errors of their own when the disk is full.
        if is_full(file.temporary.parent):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise cannot_write(target, full) from None
        raise
    finally:
        file.discard()


def write_text(target: Path, text: str, *, force: bool = False) -> None:
    """Writes a UTF-8 text file atomically, with the line ends that ``text`` has.

    Raises:
        OutputError: as :func:`atomic_write`.
    """
    with atomic_write(target, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut. Windows and some network disks cannot do that."""
    try:
        _sync(folder, os.O_RDONLY)
    except OSError:
        return


def check_target(target: Path, force: bool) -> None:
    """Checks that a file may be written under this name, before anything is written.

    Raises:
        OutputError: as :class:`AtomicFile`.
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
    """Turns a system error into one that names the file, the reason and a fix."""
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
