"""Tables as Parquet and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicegraph.experiments.results import tables
from voicegraph.graph.errors import PipelineError
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow, ValueRow

ODD = 'é=\u202e,"x"\n \t'
VALUES = (
    ValueRow("a", "c1", "s1", 1, "m", 0.1 + 0.2),
    ValueRow(ODD, "c1", "s1", 2**40, "m", None, "no voiced frame, none"),
    ValueRow("a", "c1", "", 1, "m", -1e-310),
)
CELLS = (
    CellRow("a", "c1", "s1", 1, "", "", "k", "done", levels={"tracker": "dio", "noise": "no"}),
    CellRow("b", "c1", "s1", 1, "heart", "p", "k", "failed", "late", 2, 1.5, levels={"noise": ODD}),
)
COSTS = (
    CostRow("a", "", "algorithmic_ms", "ms", 12.0),
    CostRow("a", "h", "rtf", "", 1.0, 0.5, 2.0),
)
PLACE: Any = {"vary": "t", "level": "a", "baseline": "b", "within": "", "metric": "m"}
NUMBERS: Any = (
    *("mean", "mean_baseline", "difference", "low", "high", "p", "p_corrected", "d_z"),
    *("superiority", "margin", "p_equivalence", "detectable"),
)
NOTHING: Any = dict.fromkeys(NUMBERS)
QUARTERS: Any = dict.fromkeys(NUMBERS, 0.25)
TESTS = (
    TestRow(**PLACE, n=0, **NOTHING, verdict="not tested", why="nothing"),
    TestRow(**PLACE, n=8, **QUARTERS, equivalent=True, verdict="equivalent"),
)
ROWS = {"cells": CELLS, "values": VALUES, "costs": COSTS, "tests": TESTS}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", list(ROWS))
def test_rows_come_back_as_they_were(tmp_path: Path, name: str, kind: tables.Format) -> None:
    rows = ROWS[name]
    path = tables.write_table(tmp_path, name, rows, ("tracker", "noise"), kind)
    assert path.name == f"{name}.{kind}"
    assert tables.read_table(tmp_path, name, type(rows[0])) == rows
    tables.write_table(tmp_path, name, rows[:0], ("tracker",), kind)
    assert tables.read_table(tmp_path, name, type(rows[0])) == ()


def test_one_format_replaces_the_other(tmp_path: Path) -> None:
    tables.write_table(tmp_path, "values", VALUES, (), "parquet")
    tables.write_table(tmp_path, "values", VALUES[:1], (), "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["values.csv"]
    assert tables.read_table(tmp_path, "values", ValueRow) == VALUES[:1]


def test_csv_has_the_same_bytes_everywhere(tmp_path: Path) -> None:
    path = tables.write_table(tmp_path, "values", VALUES[:2], (), "csv")
    lines = path.read_bytes().decode().split("\n", 2)
    assert lines[0] == "cell,clip,speaker,seed,metric,value,why_null"
    assert lines[1] == "a,c1,s1,1,m,0.30000000000000004,"
    assert b"\r" not in path.read_bytes()


def test_parquet_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "is_installed", lambda module: False)
    with pytest.raises(PipelineError, match="tables as Parquet needs pyarrow") as error:
        tables.require_format("parquet")
    assert (error.value.problems[0].fix or "").endswith("or --format csv")
    tables.require_format("csv")
