"""A run as CSV files: its tables, and means of cells, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicegraph.graph.files.atomic_write import write_text
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow, ValueRow

from .means import MeanRow
from .run import Run
from .tables import csv_text


def export_csv(run: Run, folder: Path, *, force: bool = False) -> list[Path]:
    """Writes ``cells``, ``values``, ``costs``, ``tests`` and ``means``; the files.

    Raises:
        OutputError: if a file exists and ``force`` is not set, or cannot be written.
    """
    tables: dict[str, tuple[type, Sequence[Any]]] = {
        "cells": (CellRow, run.cell_rows()),
        "values": (ValueRow, run.value_rows()),
        "costs": (CostRow, run.cost_rows()),
        "tests": (TestRow, run.test_rows()),
        "means": (MeanRow, run.mean_rows()),
    }
    written = []
    for name, (row, rows) in tables.items():
        path = folder / f"{name}.csv"
        write_text(path, csv_text(row, rows, run.manifest.factors), force=force)
        written.append(path)
    return written
