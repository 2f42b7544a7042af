"""``voicegraph experiment run``: computes what is missing, and writes tables and the page."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ._experiment_options import (
    ExperimentArg,
    ExperimentProfileOption,
    ExperimentSetOption,
    MetricsFileOption,
    default_run_folder,
    load_experiment_file,
    store_of,
)
from ._options import JsonOption, flag, option
from ._output import echo, print_json
from .experiment import experiment

if TYPE_CHECKING:
    from voicegraph.experiments.compiled import CompiledExperiment
    from voicegraph.experiments.driver.run import FinishedRun, RunOptions
    from voicegraph.experiments.engines.engine import Engine
    from voicegraph.experiments.file.cell_pattern import CellPattern
    from voicegraph.experiments.file.loaded_experiment import LoadedExperiment
    from voicegraph.experiments.task import Outcome, Task
    from voicegraph.schemas.experiment_run_report import ExperimentRunReport, FailedTask

FAILED = 8
"""Exit code: done, but tasks failed."""
DIFFERS = 1
"""Exit code: results that were computed anew have other bits."""
STOPPED = 130
_SHOWN = 8
"""Kinds of failures that are printed."""

OutOption = Annotated[
    Path | None, option("DIR", "Folder of the run. Default: results/NAME in this folder.")
]
WorkersOption = Annotated[
    int | None,
    option(
        "N",
        "Processes. 1 computes in this process, without its own deadlines. Default: one a core.",
        least=1,
        most=1024,
    ),
]
RayOption = Annotated[
    str | None,
    option("ADDRESS", "Compute on a Ray cluster: `local`, `auto`, or HOST:PORT of its head."),
]
OnlyOption = Annotated[
    str | None,
    option(
        "PATTERN",
        "Compute some cells only: `tracker=dio, noise=pink*, target=heart`. The others stay.",
    ),
]
PilotOption = Annotated[
    bool, flag("--pilot", "Compute one clip of each of two speakers of every cell, to see it work.")
]
FailFastOption = Annotated[bool, flag("--fail-fast", "Stop at the first failure.")]
RetryOption = Annotated[bool, flag("--retry-failed", "Try again what failed in earlier runs.")]
KeepGoingOption = Annotated[
    bool, flag("--keep-going", "Try every clip of a plan, though three failed the same way.")
]
VerifyOption = Annotated[
    float,
    option(
        "SHARE",
        "Compute so large a share of stored results anew, and compare every bit: 0.02.",
        least=0,
        most=1,
    ),
]
FormatOption = Annotated[
    Literal["parquet", "csv"], option(None, "Format of the tables.", "--format")
]


@experiment.command("run")
def experiment_run(
    file: ExperimentArg,
    out: OutOption = None,
    workers: WorkersOption = None,
    ray: RayOption = None,
    only: OnlyOption = None,
    pilot: PilotOption = False,
    fail_fast: FailFastOption = False,
    retry_failed: RetryOption = False,
    keep_going: KeepGoingOption = False,
    verify: VerifyOption = 0.0,
    table_format: FormatOption = "parquet",
    set_args: ExperimentSetOption = None,
    profiles: ExperimentProfileOption = None,
    metrics_files: MetricsFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run an experiment: compute what is missing, write tables and a page.

    Whatever was computed is never computed again, so the same command goes on after Ctrl-C:

    voicegraph experiment run trackers --out results/trackers

    Exit code 8 if something failed; the page says what.
    """
    from voicegraph.experiments.driver.requirements import require_packages

    engine = "ray" if ray is not None else "serial" if workers == 1 else "processes"
    require_packages(engine, table_format)
    from voicegraph.experiments.driver.run import RunOptions

    loaded = load_experiment_file(file, set_args, profiles, metrics_files)
    options = RunOptions(
        only=_pattern(only),
        pilot=pilot,
        fail_fast=fail_fast,
        retry_failed=retry_failed,
        keep_going=keep_going,
        verify=verify,
        format=table_format,
        command=("voicegraph", *sys.argv[1:]),
    )
    folder = out or default_run_folder(loaded.name)
    making = partial(_engine, engine, workers, ray or "")
    finished = _run(loaded, folder, making, options, quiet=as_json)
    report = _report(finished)
    print_json(report) if as_json else _show(finished, report)
    return report.exit_code


def _engine(name: str, workers: int | None, ray: str, compiled: CompiledExperiment) -> Engine:
    """The engine. Nothing is started yet."""
    if name == "ray":
        from voicegraph.experiments.engines.ray import Ray

        return Ray(ray, workers, packages=compiled.packages)
    if name == "serial":
        from voicegraph.experiments.engines.serial import Serial

        return Serial()
    from voicegraph.experiments.engines.processes import Processes

    return Processes(workers)


def _pattern(only: str | None) -> CellPattern | None:
    if only is None:
        return None
    from voicegraph.experiments.file.cell_pattern import CellPattern

    try:
        return CellPattern.parse(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None


def _run(
    loaded: LoadedExperiment,
    folder: Path,
    engine: Callable[[CompiledExperiment], Engine],
    options: RunOptions,
    *,
    quiet: bool,
) -> FinishedRun:
    from voicegraph.experiments.driver.run import limits_of, run_experiment
    from voicegraph.experiments.grid.compile import compile_experiment

    from ._task_progress import task_display

    store = store_of(loaded, folder)
    with task_display(loaded.name, quiet=quiet) as display:
        display.stage("compiling")
        compiled = compile_experiment(loaded, store=store, resolve=True)
        if not quiet:
            for warning in compiled.warnings:
                display.say(f"warning: {warning}")
        return run_experiment(
            compiled,
            folder,
            store,
            partial(engine, compiled),
            limits=limits_of(loaded.file.resources),
            options=options,
            listener=display,
        )


def _report(finished: FinishedRun) -> ExperimentRunReport:
    from voicegraph.schemas.experiment_run_report import ExperimentRunReport

    from ._failures import problem_reports

    why = finished.why_no_page
    return ExperimentRunReport(
        folder=str(finished.run.folder),
        page=None if finished.page is None else str(finished.page),
        store=str(finished.store),
        total=finished.total,
        stored=finished.stored,
        computed=finished.computed,
        untried=finished.untried,
        failed=[_failed_task(task, outcome) for task, outcome in finished.failed],
        verified=finished.verified,
        differing=[_failed_task(task, outcome) for task, outcome in finished.differing],
        problems=[] if why is None else problem_reports(why),
        stopped=finished.stopped,
        seconds=finished.seconds,
        exit_code=_exit_code(finished),
    )


def _exit_code(finished: FinishedRun) -> int:
    if finished.stopped:
        return STOPPED
    if finished.failed or finished.untried or finished.run.exit_code:
        return FAILED
    if finished.differing:
        return DIFFERS
    return 0 if finished.why_no_page is None else finished.why_no_page.exit_code


def _failed_task(task: Task, outcome: Outcome) -> FailedTask:
    from voicegraph.schemas.experiment_run_report import FailedTask

    why = outcome.failure
    assert why is not None
    return FailedTask(
        key=task.key,
        kind=task.kind,
        label=task.label,
        code=why.code,
        message=why.message,
        node=why.node,
        second=why.second,
        fix=why.fix,
        attempts=outcome.attempts,
    )


def _show(finished: FinishedRun, report: ExperimentRunReport) -> None:
    from ._task_progress import duration_text

    for line in _failure_lines(report.failed, "failed"):
        echo(line, err=True)
    for line in _failure_lines(report.differing, "differs"):
        echo(line, err=True)
    if report.failed:
        echo(f"journal: {finished.run.folder / 'journal.jsonl'}", err=True)
    if (why := finished.why_no_page) is not None:
        echo(f"there is no page: {why}", err=True)
    counts = [
        f"computed {report.computed} of {report.total} results",
        f"{report.stored} were there",
    ]
    counts += [f"{len(report.failed)} failed"] if report.failed else []
    counts += [f"{report.untried} not tried"] if report.untried else []
    missing = report.total - report.computed - report.stored - len(report.failed) - report.untried
    counts += [f"{missing} missing: the same command goes on"] if missing else []
    counts += [f"{report.verified} compared"] if report.verified else []
    echo(f"{', '.join(counts)}; {duration_text(report.seconds)}")
    echo(f"wrote {report.page or finished.run.folder}")


def _failure_lines(failed: Sequence[FailedTask], word: str) -> list[str]:
    """What failed, the same failures together."""
    groups: dict[tuple[str, str | None, str], list[FailedTask]] = defaultdict(list)
    for one in failed:
        groups[one.code, one.node, one.message].append(one)
    lines: list[str] = []
    for (code, node, message), found in list(groups.items())[:_SHOWN]:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        at = f", node {node}" if node else ""
        at += f", second {found[0].second:.2f}" if found[0].second is not None else ""
        lines.append(f"{word}: {found[0].label}{more}: {message} ({code}{at})")
        if found[0].fix:
            lines.append(f"  fix: {found[0].fix}")
    if len(groups) > _SHOWN:
        lines.append(f"{word}: {len(groups) - _SHOWN} more kinds")
    return lines
