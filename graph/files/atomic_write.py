"""Atomic file writing: a file gets its name only when it is complete and on the disk."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError, Problem, VoicegraphError
from ..regular_file import name_fault, shortened
from .user_folders import variable_of

_FULL = 1 << 20
"""A disk with fewer free bytes than this counts as full."""


class AtomicFile:
    """A file that is written under a temporary name in the target's folder, then renamed.

    A reader never sees an incomplete file, an existing file stays until its replacement is
    complete, and a failed run leaves nothing behind. Missing folders are made, and taken away again
    if the file does not come to be. The file has the permissions of any new file,
    even if the library that writes it makes a private one.

    Args:
        target: the final name.
        force: replace an existing file.
        durable: flush the file to the disk before it gets its name. Without it a power cut may
            leave an empty file, for readers that notice and can do without.
        private: only the user may read it, from its first byte on (Windows: as the folder says).

    Attributes:
        temporary: the name to write to. The file exists already, empty.

    Raises:
        OutputError: if the target exists and ``force`` is not set, is a folder, or its folder
            cannot be made or is not writable.
    """

    def __init__(
        self, target: Path, *, force: bool = False, durable: bool = True, private: bool = False
    ) -> None:
        self.target = target
        self.force = force
        self.durable = durable
        check_target(target, force)
        # A symbolic link stays: the file that it points to is replaced.
        self._destination = target.resolve() if target.is_symlink() else target
        self.temporary = self._destination.with_name(f".voicegraph-{secrets.token_hex(6)}.part")
        self._made = [path for path in self.temporary.parents if not path.exists()]
        try:
            self.temporary.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o600 if private else 0o666
            # Created here because some libraries hide why the system refuses to create a file.
            handle = os.open(self.temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        except OSError as error:
            self._remove_folders()
            raise cannot_write(target, error) from None
        self._mode = stat.S_IMODE(os.fstat(handle).st_mode)
        os.close(handle)

    def commit(self) -> None:
        """Flushes the file to the disk, if it is to be durable, and renames it to its target.

        Raises:
            OutputError: if the target was created in the meantime and ``force`` is not set, or the
                system refuses.
        """
        try:
            check_target(self.target, self.force)
            # Some libraries replace the file by a private one of their own.
            if stat.S_IMODE(self.temporary.stat().st_mode) != self._mode:
                self.temporary.chmod(self._mode)
            if self.durable:
                _sync(self.temporary, os.O_RDWR)
            self.temporary.replace(self._destination)
            if self.durable:
                _sync_folder(self._destination.parent)
        except OSError as error:
            raise cannot_write(self.target, error) from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Removes the temporary file. Safe to call twice, and after :meth:`commit`."""
        with suppress(
            OSError
        ):  # a disk that was taken away, or a file that is still open elsewhere
            self.temporary.unlink(missing_ok=True)
        self._remove_folders()

    def _remove_folders(self) -> None:
        """Removes the folders that were made, as far as they are empty."""
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def atomic_write(
    target: Path, *, force: bool = False, durable: bool = True, private: bool = False
) -> Iterator[Path]:
    """Gives a temporary name to write to; at the end of the block the file gets its final name.

    After an exception the temporary file is removed, and an existing target stays as it was.

    Args:
        target: the final name.
        force: replace an existing file.
        durable: as of :class:`AtomicFile`.
        private: as of :class:`AtomicFile`.

    Raises:
        OutputError: as :class:`AtomicFile`, and for every ``OSError`` in the block; for any other
            error of a library if the disk is full.
    """
    file = AtomicFile(target, force=force, durable=durable, private=private)
    try:
        with reported_errors(target, file.temporary.parent):
            yield file.temporary
        file.commit()
    finally:
        file.discard()


@contextmanager
def reported_errors(target: Path, folder: Path) -> Iterator[None]:
    """Turns every error of writing into one that names the file and the reason.

    Libraries raise errors of their own when the disk is full, some of them while they close a file
    after the error of the system.

    Args:
        target: the file, for the message.
        folder: where it is written.

    Raises:
        OutputError: for an ``OSError`` in the block, for an error that came while one was handled,
            and for any other error of a library if the disk is full.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(target, error) from None
    except VoicegraphError:
        raise
    except Exception as error:
        if (cause := _system_error(error)) is not None:
            raise cannot_write(target, cause) from None
        if is_full(folder):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise cannot_write(target, full) from None
        raise


def _system_error(error: BaseException) -> OSError | None:
    """The system's error that another one came after."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def write_text(
    target: Path, text: str, *, force: bool = False, durable: bool = True, private: bool = False
) -> None:
    """Writes a UTF-8 text file atomically, with the line ends that ``text`` has.

    Args:
        target: the final name.
        text: what it holds.
        force: replace an existing file.
        durable: as of :class:`AtomicFile`.
        private: as of :class:`AtomicFile`.

    Raises:
        OutputError: as :func:`atomic_write`.
    """
    with atomic_write(target, force=force, durable=durable, private=private) as temporary:
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
    if why := name_fault(target):
        text = f"{shortened(target)} cannot be written: {why}"
        raise OutputError(Problem("cannot-write", text, fix="give another name"))
    try:
        _check_target(target, force)
    except OSError as error:
        raise cannot_write(target, error) from None


def _check_target(target: Path, force: bool) -> None:
    if target.is_dir():
        text = f"{target} is a folder"
        raise OutputError(
            Problem("is-folder", text, fix=f"{target}{os.sep} as a folder for outputs")
        )
    existing = next(path for path in target.parents if path.exists())
    if not existing.is_dir():
        text = f"{target} cannot be written: {existing} is a file, not a folder"
        raise OutputError(Problem("not-a-folder", text, fix="give a name in a folder"))
    if target.exists() and not force:
        text = f"{target} exists"
        raise OutputError(Problem("exists", text, fix="--force replaces it, or give another name"))


def cannot_write(target: Path, error: OSError) -> OutputError:
    """Turns a system error into one that names the file, the reason and a fix."""
    folder, variable = target.parent, variable_of(target)
    writable = f"give a name in a folder that you may write to, not in {folder.resolve()}"
    room = "make room, or give a name on another disk"
    if variable is not None:
        writable = f"set the variable {variable} to a folder that you may write to"
        room = f"make room, or set the variable {variable} to a folder on another disk"
    fixes = {
        errno.ENOSPC: room,
        errno.EDQUOT: room,
        errno.EROFS: (
            "give a name on another disk: this one is read-only" if variable is None else writable
        ),
        errno.EACCES: writable,
        errno.EPERM: writable,
        errno.ENAMETOOLONG: "give a shorter name",
        errno.ENOENT: "give a name in another folder",
        errno.ENOTDIR: "give a name in another folder" if variable is None else writable,
        errno.EEXIST: "give a name in another folder" if variable is None else writable,
    }
    reason = error.strerror or str(error)
    text = f"{target} cannot be written: {reason}"
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = "disk-full" if full else "cannot-write"
    fix = fixes.get(error.errno or 0)
    return OutputError(Problem(code, text, fix=fix))


def is_full(folder: Path) -> bool:
    """Whether the disk that holds a folder has no room left."""
    try:
        return shutil.disk_usage(folder).free < _FULL
    except OSError:
        return False
