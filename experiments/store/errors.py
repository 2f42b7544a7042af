"""What can be wrong with stored results."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph.errors import InputError, OutputError, Problem


class DamagedResultError(InputError, KeyError):
    """A stored result is not what was written: truncated, or bits of it flipped.

    It was removed from the store, so it is made again when it is needed: to whoever reads it
    there is no such result, hence the KeyError.

    Attributes:
        key: of the result.
        path: the file.
    """

    def __init__(self, key: str, path: Path, what: str) -> None:
        text = f"{path} is damaged: {what}; it was removed and is computed again when needed"
        super().__init__(Problem("damaged-result", text, fix="the same command again"))
        self.key, self.path, self.what = key, path, what

    def __str__(self) -> str:  # that of KeyError would be quoted
        return str(self.problems[0])

    def __reduce__(self) -> tuple[type[DamagedResultError], tuple[str, Path, str]]:
        return type(self), (self.key, self.path, self.what)


class DiskFullError(OutputError):
    """There is no room for a result."""
