"""Confinement: which files a pipeline may name that somebody else has a say in.

Pipeline files are passed on from one user to another, and pages send overrides. A pipeline that
is confined reads files below the given folders and those that come with the package. What its
nodes write needs a permission as of a stranger's file, whoever asked for it: see
``graph/runtime/write_permission.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import Mark, PipelineError, Problem
from ..regular_file import shortened
from .file_kind import PIPELINES

Confinement = tuple[Path, ...]
"""Folders without links; the package's own are not listed."""


def confinement(folders: Iterable[str | Path]) -> Confinement:
    """The folders without links, ``..`` and ``~``."""
    return tuple(_resolved(folder) for folder in folders)


def is_within(path: Path, allowed: Confinement) -> bool:
    """Whether a file lies in one of the folders or comes with the package; links are followed."""
    found = _resolved(path)
    return any(found.is_relative_to(folder) for folder in (*allowed, _resolved(PIPELINES.folder)))


def outside_problem(
    what: str, path: Path, allowed: Sequence[Path], mark: Mark | None = None
) -> Problem:
    """The problem of a file that a confined pipeline must not read.

    Args:
        what: who names it; the subject of the message.
        path: the file.
        allowed: the folders in which files may be read.
        mark: where it is named.
    """
    listed = ", ".join(map(str, allowed)) or "none"
    text = f"{what} names {shortened(path)}, which this pipeline may not read"
    notes = ((f"besides the package's own, files may be read in: {listed}", None),)
    fix = "name a bundled model, or a file in one of these folders"
    return Problem("outside-confinement", text, mark, notes, fix)


def require_within(
    what: str, path: Path, allowed: Confinement | None, mark: Mark | None = None
) -> None:
    """Checks a file before it is opened; None allows every file.

    Raises:
        PipelineError: if it lies elsewhere. Nothing says whether it exists.
    """
    if allowed is not None and not is_within(path, allowed):
        raise PipelineError(outside_problem(what, path, allowed, mark))


def _resolved(path: str | Path) -> Path:
    return Path(os.path.realpath(os.path.expanduser(path)))  # noqa: PTH111 (keeps ~name as it is)
