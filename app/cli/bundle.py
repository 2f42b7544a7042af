"""``voicegraph bundle``: runs and checks what ``export --all`` wrote, without PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.terminal_text import printable

from ._limit_codes import OUTSIDE
from ._options import ForceOption, JsonOption, argument, option
from ._output import CommandGroup, echo, print_json
from .app import app

if TYPE_CHECKING:
    from voicegraph.schemas.bundle import BundleCheckReport

bundle = CommandGroup(help="Run what `voicegraph export --all` wrote without PyTorch, or check it.")
app.add_typer(bundle, name="bundle")

FolderArg = Annotated[Path, argument("DIR", "A folder that `voicegraph export --all DIR` wrote.")]
SourceArg = Annotated[Path, argument("IN", "The sound file to read.")]
TargetArg = Annotated[Path, argument("OUT", "The sound file to write.")]
ThreadsOption = Annotated[int, option("N", "Threads of each network.", least=1)]


@bundle.command()
def run(
    folder: FolderArg,
    source: SourceArg,
    target: TargetArg,
    threads: ThreadsOption = 1,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Convert a sound file by a bundle, with NumPy, ONNX Runtime, FAISS and soxr alone.

    It shows that a bundle is complete, and how other programs run one. The output is that of
    `voicegraph run` within 1e-4, for files at the pipeline's own rate: time-aligned with the input
    and equally long.
    """
    from voicegraph.app.bundle import convert_file, open_bundle

    report = convert_file(open_bundle(folder), source, target, threads=threads, force=force)
    if as_json:
        print_json(report)
        return
    for note in report.notes:
        echo(note)
    speed = report.seconds / report.compute_s if report.compute_s else 0.0
    times = (
        f"{report.seconds:.2f} s, computed in {report.compute_s:.2f} s ({speed:.1f} x real time)"
    )
    echo(f"wrote {printable(report.target)} ({times})")


@bundle.command()
def check(folder: FolderArg, threads: ThreadsOption = 1, as_json: JsonOption = False) -> int:
    """Compare what a bundle computes here with the values that it holds.

    Every network is run on the values of one call, and the whole plan on the first blocks of a
    recording. Exit code 9 if something differs.
    """
    from voicegraph.app.bundle import check_bundle, open_bundle

    report = check_bundle(open_bundle(folder), threads)
    if as_json:
        print_json(report)
    else:
        for line in _lines(report):
            echo(line)
    return 0 if report.ok else OUTSIDE


def _lines(report: BundleCheckReport) -> Iterator[str]:
    """What was compared, and what could not be."""
    from voicegraph.app.reports.text_table import Column, table

    columns = (
        Column("part"),
        Column("largest\ndifference", right=True),
        Column("allowed", right=True),
        Column(""),
    )
    yield from table(
        columns,
        [
            (
                found.part,
                "" if found.difference is None else f"{found.difference:.2g}",
                f"{found.within:.2g}",
                "" if found.passed else "DIFFERS",
            )
            for found in report.checks
        ],
    )
    yield ""
    if report.not_run:
        yield f"the plan was not run: {', '.join(report.not_run)} are not in this runtime"
    compared = f"{len(report.checks)} parts compared"
    yield f"{compared}, all within" if report.ok else f"{compared}, some differ"
