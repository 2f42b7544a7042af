"""The error of a module that a form cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ExportError, Problem, VoicegraphError

_LONGEST = 400


@contextmanager
def reported_as(title: str) -> Iterator[None]:
    """Turns any error of an exporter into one sentence; system errors pass.

    Raises:
        ExportError: for everything else that is raised in the block.
    """
    try:
        yield
    except (VoicegraphError, OSError, MemoryError):
        raise
    except Exception as error:
        text = f"the network cannot be written as {title}: {first_line(error)}"
        raise ExportError(Problem("not-exportable", text)) from error


def first_line(error: BaseException) -> str:
    """The class of an error and the first line of its text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return said if len(said) <= _LONGEST else said[:_LONGEST] + " ..."
