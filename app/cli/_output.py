"""How commands print reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from voicegraph.schemas.report import Report


def print_json(report: Report) -> None:
    """Prints a report as JSON."""
    typer.echo(report.model_dump_json(indent=2))
