"""Errors about model files, raised by code that does not know the name of the file."""

from __future__ import annotations

from pathlib import Path

from ..errors import Problem, WeightsError
from ..regular_file import FileNameError, NotRegularFileError, read_failure, shortened
from ..terminal_text import printable

DOWNLOAD_AGAIN = "download or copy the file again"
"""The fix for a file that was damaged in transit."""


class FormatError(Exception):
    """A file is damaged, hostile or of another format; :meth:`at` adds its name.

    Args:
        code: a stable short name.
        message: what is wrong; continues after the file's name and a colon.
        fix: what to do.
    """

    def __init__(self, code: str, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def at(self, path: Path) -> WeightsError:
        """The error that users see, with the file's name."""
        return WeightsError(
            Problem(self.code, f"{shortened(path)}: {printable(self.message)}", fix=self.fix)
        )


def damaged(message: str) -> FormatError:
    """The error for a file of the right format with inconsistent contents."""
    return FormatError("damaged-file", message, DOWNLOAD_AGAIN)


def unreadable(path: Path, error: OSError) -> WeightsError:
    """The error for a file that is missing or that the system refuses to read."""
    said = read_failure(error)
    if isinstance(error, (FileNotFoundError, FileNameError)):
        return FormatError("no-such-file", said, "check the name").at(path)
    if isinstance(error, NotRegularFileError):
        return FormatError("not-regular-file", said, "give the name of a file").at(path)
    return FormatError("unreadable-file", f"cannot be read: {said}", "check its permissions").at(
        path
    )
