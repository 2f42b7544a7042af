"""How commands print reports and write text files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from voicegraph.schemas.report import Report


def print_json(report: Report) -> None:
    """Prints a report as JSON."""
    typer.echo(report.model_dump_json(indent=2))


def write_text(path: Path, text: str, force: bool = False) -> None:
    """Writes a text file completely or not at all.

    Raises:
        OutputError: if it exists and ``force`` is not given, or cannot be written.
    """
    from voicegraph.graph.files.atomic_write import Staged, cannot_write

    staged = Staged(path, force=force)
    try:
        staged.temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        staged.discard()
        raise cannot_write(path, error) from None
    staged.commit()
