"""``voicegraph experiment listen``: writes a listening test of a run, or reads its ratings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ._opened_run import opened_run
from ._options import ForceOption, JsonOption, argument, option
from ._output import echo, listing_command, print_json
from .experiment import experiment

if TYPE_CHECKING:
    from voicegraph.experiments.listening.read_ratings import ReadRatings
    from voicegraph.experiments.listening.write_test import WrittenTest
    from voicegraph.experiments.results.run import Run
    from voicegraph.schemas.experiment_manifest import CellFacts


class Kind(StrEnum):
    """What listeners are asked."""

    mos = "mos"
    ab = "ab"
    abx = "abx"
    mushra = "mushra"


RunArg = Annotated[
    Path, argument("FILE|DIR", "The folder of a run, or the experiment file it was made of.")
]
KindOption = Annotated[
    Kind,
    option(
        None,
        "mos: how natural is it, one sound a page. ab: which of two is preferred. abx: can two be "
        "told apart. mushra: several against a reference.",
        "--kind",
    ),
]
OnlyOption = Annotated[
    str | None,
    option(
        "PATTERN",
        "Cells to compare, as 'pipeline=world, noise=clean'. Default: all that are done.",
        "--only",
    ),
]
TrialsOption = Annotated[
    int, option("N", "Clips to draw. Of each speaker one comes before another has two.", least=1)
]
SeedOption = Annotated[int, option("N", "Seed of the draw.")]
OutOption = Annotated[
    Path | None,
    option("FOLDER", "Where the test is. Default: listening/KIND in the run's folder."),
]
ReadOption = Annotated[
    list[Path] | None,
    option(
        "CSV...",
        "Read ratings back: webMUSHRA's CSV, or the files that listeners saved. All arguments up "
        "to the next option.",
        "--read",
    ),
]


@experiment.command("listen", cls=listing_command("--read"))
def experiment_listen(
    run: RunArg,
    kind: KindOption,
    only: OnlyOption = None,
    trials: TrialsOption = 12,
    seed: SeedOption = 1,
    out: OutOption = None,
    read: ReadOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Write a listening test of a run, and read its ratings back.

    voicegraph experiment listen results/trackers --kind mushra --only noise=clean

    voicegraph experiment listen results/trackers --kind mushra --read *.csv

    Clips are drawn with a seed, not chosen by any result. No name in the test says what made a
    sound; `key.csv` does: listeners must not get it.
    """
    from voicegraph.experiments.listening.read_ratings import read_ratings
    from voicegraph.experiments.listening.write_test import KEY, write_test

    opened = opened_run(run)
    place = opened.folder / "listening" / kind.value if out is None else out
    if read:
        found = read_ratings(opened.folder, opened.manifest, place / KEY, read)
        return _print_ratings(found, opened, as_json)
    cells = _cells(opened, only)
    written = write_test(opened, kind.value, cells, place, trials=trials, seed=seed, force=force)
    return _print_test(written, run, kind, as_json)


def _cells(run: Run, only: str | None) -> list[CellFacts]:
    """Cells that can be heard and match the pattern.

    Raises:
        PipelineError: if the pattern is none, or nothing matches.
    """
    from voicegraph.experiments.file.cell_pattern import TARGET, CellPattern
    from voicegraph.graph.errors import Mark, PipelineError, Problem

    done = {row.cell for row in run.cell_rows() if row.status == "done"}
    cells = [cell for cell in run.manifest.cells if cell.name in done and cell.kind != "target"]
    if only is None:
        return cells
    try:
        pattern = CellPattern.parse(only)
    except ValueError as error:
        raise PipelineError(Problem("wrong-pattern", str(error), Mark("--only"))) from None
    found = [c for c in cells if pattern.matches({TARGET: c.target or "", **c.levels})]
    if not found:
        factors = "; ".join(f"{k}: {', '.join(v)}" for k, v in run.manifest.factors.items())
        notes = ((f"factors and levels are {factors}", None),)
        text = f"no cell that is done matches {only!r}"
        raise PipelineError(Problem("no-cell", text, Mark("--only"), notes))
    return found


def _print_test(written: WrittenTest, run: Path, kind: Kind, as_json: bool) -> int:
    from voicegraph.schemas.listening_report import ListeningTestReport

    test = written.test
    cells = dict.fromkeys(s.cell for s in test.stimuli if s.cell)
    report = ListeningTestReport(
        test=test.id,
        kind=kind.value,
        trials=len(test.trials()),
        cells=tuple(cells),
        clips=tuple(dict.fromkeys(s.clip for s in test.stimuli)),
        page=str(written.page),
        config=str(written.config),
        key=str(written.key),
    )
    if as_json:
        print_json(report)
        return 0
    echo(f"{kind.value} test {report.test}: {len(cells)} cells, {len(report.clips)} clips")
    echo(f"page without a server   {report.page}")
    echo(f"webMUSHRA's config      {report.config}")
    echo(f"which sound is which    {report.key}  (not for listeners)")
    echo("read the ratings back with")
    echo(f"  voicegraph experiment listen {run} --kind {kind.value} --read *.csv")
    return 0


def _print_ratings(found: ReadRatings, run: Run, as_json: bool) -> int:
    from voicegraph.schemas.listening_report import RatingsReport

    report = RatingsReport(
        metric=found.measures.metrics[0].name,
        ratings=found.ratings,
        listeners=tuple(found.listeners),
        excluded=dict(found.excluded),
        tests=found.measures.tests,
        file=str(found.path),
    )
    if as_json:
        print_json(report)
        return 0
    echo(f"{report.ratings} ratings by {len(report.listeners)} listeners: {report.metric}")
    for who, why in report.excluded.items():
        echo(f"left out: {who} {why}")
    for test in report.tests:
        within = f" ({test.within})" if test.within else ""
        p = "" if test.p_corrected is None else f", Holm p = {test.p_corrected:.3f}"
        bounds = "" if test.low is None else f" [{test.low:+.2f}, {test.high:+.2f}]"
        change = f"{test.difference or 0:+.2f}{bounds}{p}: {test.verdict} ({test.why})"
        echo(f"{test.level} instead of {test.baseline}{within}: {change}")
    echo(f"wrote {report.file}")
    echo(f"voicegraph experiment report {run.folder} shows them on the page")
    return 0
