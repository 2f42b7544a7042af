"""Tables of a run as files: Parquet, or CSV that needs no package.

The same rows give the same bytes. In CSV, numbers are written so that reading gives the same bits,
None is an empty field, and lines end with a line feed on every system.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from voicegraph.graph.errors import InputError, PipelineError, Problem
from voicegraph.graph.files.atomic_write import atomic_write, write_text
from voicegraph.graph.optional_packages import is_installed, missing_package
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow, ValueRow

Format = Literal["parquet", "csv"]
TABLES: Mapping[str, type] = {
    "cells": CellRow,
    "values": ValueRow,
    "costs": CostRow,
    "tests": TestRow,
}
FACTOR = "factor."
"""Begins the columns of factors."""
Row = TypeVar("Row")
_BOOLS = {"true": True, "false": False}


def require_format(format: Format) -> None:  # noqa: A002 - the option's name
    """Checks that tables can be written in a format, before anything is computed.

    Raises:
        PipelineError: if a package is missing.
    """
    if format == "parquet" and not is_installed("pyarrow"):
        raise PipelineError(
            missing_package(
                "tables as Parquet", "pyarrow", extra="experiment", instead="--format csv"
            )
        )


def columns(row: type, factors: Iterable[str] = ()) -> dict[str, type]:
    """Columns of a table with their types; each may hold None where the row says so."""
    hints = typing.get_type_hints(row)
    found: dict[str, type] = {}
    for one in dataclasses.fields(row):
        if one.name == "levels":
            found |= {f"{FACTOR}{factor}": str for factor in factors}
        else:
            found[one.name] = _plain(hints[one.name])
    return found


def _plain(hint: Any) -> type:
    """``float`` of ``float | None``."""
    if isinstance(hint, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def as_columns(row: Any) -> dict[str, Any]:
    """The values of a row by column."""
    found: dict[str, Any] = {}
    for one in dataclasses.fields(row):
        value = getattr(row, one.name)
        if one.name == "levels":
            found |= {f"{FACTOR}{factor}": level for factor, level in value.items()}
        else:
            found[one.name] = value
    return found


def write_table(
    folder: Path,
    name: str,
    rows: Sequence[Any],
    factors: Iterable[str],
    format: Format,  # noqa: A002 - as above
) -> Path:
    """Writes a table of :data:`TABLES`, and removes it in the other format.

    Raises:
        PipelineError: if a package is missing.
        OutputError: if it cannot be written.
    """
    require_format(format)
    kinds = columns(TABLES[name], factors)
    path = folder / f"{name}.{format}"
    if format == "csv":
        write_text(path, _csv_text(kinds, rows), force=True)
    else:
        with atomic_write(path, force=True) as temporary:
            _write_parquet(temporary, kinds, rows)
    other = folder / f"{name}.{'csv' if format == 'parquet' else 'parquet'}"
    other.unlink(missing_ok=True)
    return path


def read_table(folder: Path, name: str, row: type[Row]) -> tuple[Row, ...]:
    """Reads a table in the format that is there.

    Raises:
        InputError: if there is none, or it is not such a table.
        PipelineError: if a package is missing.
    """
    path = table_path(folder, name)
    try:
        found = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path, row)
        return tuple(_row(row, values) for values in found)
    except (ValueError, TypeError, KeyError, StopIteration, OSError) as error:
        text = f"{path} is not the table {name} of an experiment: {error}"
        raise InputError(Problem("wrong-table", text, fix=_AGAIN)) from None


_AGAIN = "run the experiment again: what is in the store is not computed again"


def table_path(folder: Path, name: str) -> Path:
    """The file of a table.

    Raises:
        InputError: if there is none.
    """
    for format in typing.get_args(Format):  # noqa: A001 - as above
        if (path := folder / f"{name}.{format}").is_file():
            return path
    text = f"{folder} has no table {name} (neither {name}.parquet nor {name}.csv)"
    raise InputError(Problem("no-table", text, fix=_AGAIN))


def csv_text(row: type, rows: Sequence[Any], factors: Iterable[str] = ()) -> str:
    """Rows of one class as CSV."""
    return _csv_text(columns(row, factors), rows)


def _csv_text(kinds: Mapping[str, type], rows: Sequence[Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kinds)
    for row in rows:
        found = as_columns(row)
        writer.writerow([_field(found.get(name)) for name in kinds])
    return text.getvalue()


def _field(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
    return str(value)


def _read_csv(path: Path, row: type) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        names = next(lines)
        kinds = columns(
            row, [name.removeprefix(FACTOR) for name in names if name.startswith(FACTOR)]
        )
        if unknown := [name for name in names if name not in kinds]:
            raise ValueError(f"there is no column {unknown[0]}")
        return [
            {name: _value(text, kinds[name]) for name, text in zip(names, line, strict=True)}
            for line in lines
        ]


def _value(text: str, kind: type) -> Any:
    if kind is str:
        return text
    if not text:
        return None
    return _BOOLS[text] if kind is bool else kind(text)


def _write_parquet(path: Path, kinds: Mapping[str, type], rows: Sequence[Any]) -> None:
    import pyarrow
    from pyarrow import parquet

    arrow = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }
    found = [as_columns(row) for row in rows]
    arrays = [
        pyarrow.array([values.get(name) for values in found], arrow[kind])
        for name, kind in kinds.items()
    ]
    parquet.write_table(pyarrow.table(arrays, names=list(kinds)), path)


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    if not is_installed("pyarrow"):
        text = f"reading {path.name}"
        raise PipelineError(missing_package(text, "pyarrow", extra="experiment"))
    from pyarrow import parquet

    return parquet.read_table(path).to_pylist()


def _row(row: type[Row], values: Mapping[str, Any]) -> Row:
    plain = {name: value for name, value in values.items() if not name.startswith(FACTOR)}
    levels = {
        name.removeprefix(FACTOR): value
        for name, value in values.items()
        if name.startswith(FACTOR) and value
    }
    return row(**plain, **({"levels": levels} if row is CellRow else {}))
