"""Why a file is not taken, said where its name is not known."""

from __future__ import annotations

from pathlib import Path

from ...errors import Problem, WeightsError

PLACEHOLDER = "\N{REPLACEMENT CHARACTER}"
"""Stands for characters that a terminal would obey instead of showing."""
AGAIN = "download or copy the file again"
"""What mends a file that was damaged on its way."""


class RefusalError(Exception):
    """A file is not what it should be; :meth:`of` gives the error that people see.

    Args:
        code: a stable short name.
        message: what is wrong with it; goes on after the file's name and a colon.
        fix: what to do.
    """

    def __init__(self, code: str, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def of(self, path: Path) -> WeightsError:
        """The error with the file's name."""
        return WeightsError(Problem(self.code, f"{path}: {printable(self.message)}", fix=self.fix))


def printable(text: str) -> str:
    """Text of a file as it may be shown: without control characters."""
    return "".join(c if c.isprintable() else PLACEHOLDER for c in text)


def damaged(message: str) -> RefusalError:
    """A file of the right sort whose contents do not hold together."""
    return RefusalError("damaged-file", message, AGAIN)


def unreadable(path: Path, error: OSError) -> WeightsError:
    """The error for a file that the system does not let be read, or has not got."""
    if isinstance(error, FileNotFoundError):
        return RefusalError("no-such-file", "there is no such file", "check the name").of(path)
    said = error.strerror or str(error)
    return RefusalError("unreadable-file", f"cannot be read: {said}", "check its rights").of(path)
