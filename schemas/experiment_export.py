"""What was exported of a run: ``voicegraph experiment export --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class ExportReport(Report):
    """``voicegraph experiment export --json``."""

    to: str
    """The form: ``mlflow``, ``csv`` or ``scp``."""
    folder: str
    """Where it was written."""
    written: list[str]
    """Files; of MLflow, the folders of the experiment and of its runs."""
    next: str
    """Commands that use it, one a line; empty if there are none."""
