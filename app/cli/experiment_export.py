"""``voicegraph experiment export``: a run for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.terminal_text import printable

from ._opened_run import opened_run
from ._options import ForceOption, JsonOption, argument, option
from ._output import echo, print_json
from .experiment import experiment

if TYPE_CHECKING:
    from voicegraph.schemas.experiment_export import ExportReport


class _To(StrEnum):
    """Forms that the shell completes."""

    mlflow = "mlflow"
    csv = "csv"
    scp = "scp"


RunArg = Annotated[str, argument("DIR", "The folder of a run, or an experiment that was run.")]
ToOption = Annotated[
    _To,
    option(
        None,
        "mlflow: a folder `mlruns`, a run a cell. csv: tables and means. scp: lists of sounds "
        "(pred.scp, gt.scp), as VERSA reads them.",
        "--to",
    ),
]
OutOption = Annotated[
    Path | None, option("FOLDER", "Default: `mlruns`, `csv` or `scp` in DIR.", "--out")
]


@experiment.command("export")
def experiment_export(
    run: RunArg,
    to: ToOption,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a run for other programs: MLflow, tables as CSV, lists of sounds for VERSA.

    voicegraph experiment export results/trackers --to mlflow
    """
    report = _export(run, to, out, force)
    if as_json:
        print_json(report)
        return
    echo(f"wrote {len(report.written)} {_THINGS[to]} to {printable(report.folder)}")
    if report.next:
        first, *more = report.next.split("\n")
        echo(f"next: {printable(first)}")
        for line in more:
            echo(f"      {printable(line)}")


_THINGS = {_To.mlflow: "folders", _To.csv: "tables", _To.scp: "lists"}
_FOLDERS = {_To.mlflow: "mlruns", _To.csv: "csv", _To.scp: "scp"}


def _export(folder: str, to: _To, out: Path | None, force: bool) -> ExportReport:
    from voicegraph.experiments.results.export_csv import export_csv
    from voicegraph.experiments.results.export_mlflow import export_mlflow
    from voicegraph.experiments.results.export_scp import export_scp
    from voicegraph.schemas.experiment_export import ExportReport

    run = opened_run(folder)
    target = out or run.folder / _FOLDERS[to]
    write = {_To.mlflow: export_mlflow, _To.csv: export_csv, _To.scp: export_scp}[to]
    written = write(run, target, force=force)
    return ExportReport(
        to=to.value,
        folder=str(target),
        written=[str(path) for path in written],
        next=_next(to, target, written),
    )


def _next(to: _To, target: Path, written: Sequence[Path]) -> str:
    """Commands that use what was written."""
    if to is _To.mlflow:
        server = "sqlite:///mlflow.db"
        steps = (
            "pip install mlflow",
            f"mlflow migrate-filestore --source {target} --target {server}",
            f"mlflow server --backend-store-uri {server}",
        )
        return "\n".join(steps)
    if to is _To.scp:
        pred, gt = (written[0].parent / name for name in ("pred.scp", "gt.scp"))
        lists = f"--pred {pred} --gt {gt} --io soundfile"
        return f"versa-scorer {lists} --score_config VERSA.yaml --output_file scores.jsonl"
    return ""
