"""``voicegraph experiment report``: writes the page of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ._opened_run import opened_run
from ._options import JsonOption, argument, option
from ._output import echo, print_json
from .experiment import experiment

RunArg = Annotated[Path, argument("DIR", "The folder of a run, or an experiment that was run.")]
OutOption = Annotated[
    Path | None,
    option("FILE.html", "Where to write the page. Default: report.html in the folder."),
]


@experiment.command()
def report(folder: RunArg, out: OutOption = None, as_json: JsonOption = False) -> int:
    """Write the page of a run: one HTML file that needs no network.

    What there is is shown, and what is missing is said. It is written anew each time:

    voicegraph experiment report results/trackers --out trackers.html
    """
    from voicegraph.experiments.report.write_report import write_report
    from voicegraph.schemas.page_report import PageReport

    run = opened_run(folder)
    written = write_report(run, _target(out, run.folder), force=True)
    found = PageReport(
        file=str(written.path),
        bytes=written.size,
        sounds=written.sounds,
        notes=tuple(written.notes),
    )
    if as_json:
        print_json(found)
    else:
        for note in found.notes:
            echo(f"note: {note}")
        echo(f"wrote {found.file} ({found.bytes / 1e6:.1f} MB, {found.sounds} sounds)")
    return 0


def _target(out: Path | None, folder: Path) -> Path:
    """The page's file.

    Raises:
        OutputError: if its name does not end in ``.html``; browsers go by it.
    """
    from voicegraph.graph.errors import OutputError, Problem

    target = folder / "report.html" if out is None else out
    if target.suffix.lower() not in (".html", ".htm"):
        text = f"the page is HTML, and {target} does not end in .html"
        raise OutputError(Problem("wrong-ending", text, fix=f"--out {target}.html"))
    return target
