"""What commands print, and small text files that they write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import typer

from voicegraph.graph.errors import OutputError, Problem
from voicegraph.schemas.report import Report


def print_json(report: Report) -> None:
    """A report for programs."""
    typer.echo(report.model_dump_json(indent=2))


def write_text(path: Path, text: str, force: bool = False) -> None:
    """Writes a file whole or not at all.

    Raises:
        OutputError: if it exists and ``force`` is not given, or cannot be written.
    """
    if path.is_dir():
        raise OutputError(Problem("is-a-folder", f"{path} is a folder", fix=f"-o {path}/FILE"))
    if path.exists() and not force:
        raise OutputError(Problem("exists", f"{path} exists", fix="give --force to overwrite it"))
    if not path.parent.is_dir():
        text_ = f"the folder {path.parent} does not exist"
        raise OutputError(Problem("no-such-folder", text_, fix=f"mkdir -p {path.parent}"))
    try:
        _replace(path, text)
    except OSError as error:
        raise OutputError(
            Problem(
                "cannot-write",
                f"{path} cannot be written: {error.strerror or error}",
                fix="choose a folder that you may write to, with space left",
            )
        ) from None


def _replace(path: Path, text: str) -> None:
    """By way of a file beside it, so that a failure leaves what was there."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    """The process's own; asking for it means setting it for a moment."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
