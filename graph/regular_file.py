"""Opens files that a user, or a stranger's file, names: regular files only, and never blocking.

Opening a named pipe waits until somebody writes to it, opening a device can have side effects, and
reading from either may never end. All of these are refused before they are opened, and what was
opened is checked again, since a name can refer to something else a moment later.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from io import BufferedReader, FileIO
from pathlib import Path

from .errors import Problem

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a block device"),
)
_WINDOWS_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)
_KERNEL_FOLDERS = ("/proc/", "/sys/")
"""Their entries say that they are regular files; reading some of them never ends."""
_NAME_ERRORS = {
    errno.ENAMETOOLONG: "the name is longer than the system allows",
    errno.EINVAL: "the system allows no such name",
    errno.EILSEQ: "the system allows no such name",
    errno.ELOOP: "links that refer to each other",
}
_WINDOWS_INVALID_NAME = 123
_SHOWN = 120


class NotRegularFileError(OSError):
    """A name refers to a folder, pipe, socket or device; ``strerror`` says which.

    Attributes:
        kind: what it is, with its article.
    """

    def __init__(self, path: str | Path, kind: str) -> None:
        number = errno.EISDIR if kind == "a folder" else errno.EINVAL
        super().__init__(number, f"{kind}, not a regular file", str(path))
        self.kind = kind

    def __reduce__(self) -> tuple[type[NotRegularFileError], tuple[str, str]]:
        return type(self), (self.filename, self.kind)


class FileNameError(OSError):
    """No file can have this name; ``strerror`` says why."""


def open_regular(path: str | Path) -> BufferedReader:
    """Opens a regular file for reading bytes, as ``open(path, "rb")`` does.

    Args:
        path: of the file; a link is followed.

    Raises:
        NotRegularFileError: if it is a folder, pipe, socket or device. Nothing blocks.
        FileNameError: if it holds a NUL, a lone surrogate, or more characters than the system
            allows.
        OSError: if it is missing or cannot be read. :func:`read_failure` words all of these.
    """
    require_regular(path)
    return open(path, "rb", opener=_open_regular)


def open_regular_unbuffered(path: str | Path) -> FileIO:
    """As :func:`open_regular`, without a buffer: each read is one call of the system."""
    require_regular(path)
    return FileIO(path, "rb", opener=_open_regular)


def require_regular(path: str | Path) -> os.stat_result:
    """Checks a file that a library will open by its name; prefer :func:`open_regular`.

    Raises:
        OSError: as :func:`open_regular`.
    """
    _refuse_windows_device(path)
    if why := name_fault(path):
        raise FileNameError(errno.EINVAL, why, shortened(path))
    found = os.stat(path)  # noqa: PTH116
    _refuse_other(path, found)
    if sys.platform == "linux" and os.path.realpath(path).startswith(_KERNEL_FOLDERS):
        raise NotRegularFileError(path, "an entry of the kernel")
    return found


def name_fault(path: str | Path) -> str | None:
    """Why no file can have this name, as the end of a sentence; None if one can.

    ``Path.exists`` and its kin raise for some of these names, so ask this first.
    """
    text = os.fspath(path)
    if "\0" in text:
        return "a file name cannot hold a NUL character"
    try:
        os.fsencode(text)
        os.lstat(text)
    except UnicodeError:
        return "the name holds half of a surrogate pair, which is no character"
    except ValueError:
        return "the system allows no such name"
    except OSError as error:
        if getattr(error, "winerror", None) == _WINDOWS_INVALID_NAME:
            return _NAME_ERRORS[errno.EINVAL]
        return _NAME_ERRORS.get(error.errno or 0)
    return None


def name_problem(path: str | Path) -> Problem | None:
    """The problem of a name that no file can have; None if one can."""
    if (why := name_fault(path)) is None:
        return None
    return Problem("bad-file-name", f"{shortened(path)}: {why}", fix="give another name")


def read_failure(error: OSError) -> str:
    """Why a file could not be read, as the end of a sentence: ``FILE cannot be read: ...``."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return error.strerror or str(error)


def shortened(path: str | Path) -> str:
    """A file's name for a message: the middle of a very long one is left out."""
    text = os.fspath(path)
    if len(text) <= _SHOWN:
        return text
    half = _SHOWN // 2
    return f"{text[:half]}...{text[-half:]}"


def _open_regular(path: str, flags: int) -> int:
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    handle = os.open(path, flags)
    try:
        _refuse_other(path, os.fstat(handle))
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(handle, True)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _refuse_other(path: str | Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for test, name in _KINDS if test(found.st_mode)), "a special file")
        raise NotRegularFileError(path, kind)


def _refuse_windows_device(path: str | Path) -> None:
    """Windows takes these names for devices in every folder, with any ending."""
    if sys.platform != "win32":
        return
    text = os.fspath(path)
    name = re.split(r"[\\/]", text)[-1].split(".")[0].split(":")[0].rstrip(" ")
    if _WINDOWS_DEVICE.fullmatch(name) or text.startswith(("\\\\.\\", "//./")):
        raise NotRegularFileError(path, "a device")
