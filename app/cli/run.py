"""``voicegraph run``: sound files through a pipeline."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from voicegraph.graph.errors import InputError, OutputError, SignalError, VoicegraphError

from ._failures import common_code, failed_file
from ._options import (
    ForceOption,
    JsonOption,
    PipelineArg,
    ProfileOption,
    SetOption,
    argument,
    flag,
    load,
    option,
)
from ._output import echo, print_json
from ._progress import ProgressDisplay, progress_display
from ._run_summary import summary
from .app import STOPPED, app

if TYPE_CHECKING:
    from voicegraph.graph.files.sound.batch import Batch, Job
    from voicegraph.graph.files.sound.input_conversion import ConversionPlan
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.graph.signals import Audio
    from voicegraph.schemas.file_report import FileReport, RunReport

_OF_ONE_FILE = (InputError, OutputError, SignalError)
"""Errors of one file; any other error would occur again with the next file."""

InputsArg = Annotated[list[str], argument("INPUT", "Sound files or folders.")]
OutputArg = Annotated[
    str,
    argument(
        "OUTPUT",
        "A file, whose ending chooses the format, or a folder (a new one with / at its end).",
    ),
]
TapOption = Annotated[
    list[str] | None,
    option(
        "NODE.PORT=FILE.npz",
        "Save the signal at a port: `f0.pitch=pitch.npz`. `{name}` in the file name stands for the "
        "input's name. May be repeated.",
        "--tap",
    ),
]
TraceOption = Annotated[
    str | None,
    option("FILE.json", "Save when each node ran, for ui.perfetto.dev. `{name}` as for --tap."),
]
FormatOption = Annotated[
    str | None,
    option(
        "ENDING",
        "Format of the files in an output folder, such as flac. Default: each input's own.",
        "--format",
    ),
]
SubtypeOption = Annotated[
    str | None,
    option(
        "NAME", "Encoding: pcm_16, pcm_24, float, ... Default: 24 bits, if the format has them."
    ),
]
SalvageOption = Annotated[
    bool, flag("--salvage", "Convert what can be read of a truncated or damaged input.")
]
QuietOption = Annotated[
    bool, flag("--quiet", "No progress and no summary; errors still show.", short="-q")
]


@dataclass(slots=True)
class _Run:
    """One call of the command: its arguments and its results."""

    pipeline: Pipeline
    batch: Batch
    taps: dict[str, str]
    trace: str | None
    subtype: str | None
    force: bool
    salvage: bool
    plans: dict[Audio, ConversionPlan] = field(default_factory=dict)
    done: list[FileReport] = field(default_factory=list)
    failed: list[tuple[Job, VoicegraphError]] = field(default_factory=list)
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of the errors, if they agree."""
        if self.stopped:
            return STOPPED
        return common_code(error for _, error in self.failed)


@app.command()
def run(
    pipeline: PipelineArg,
    inputs: InputsArg,
    output: OutputArg,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    tap: TapOption = None,
    trace: TraceOption = None,
    ending: FormatOption = None,
    subtype: SubtypeOption = None,
    force: ForceOption = False,
    salvage: SalvageOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Convert sound files: one, several, or whole folders.

    The output is time-aligned with the input and equally long.
    Existing files are kept, unless --force is given; a run that fails leaves no partial file.
    Ctrl-C keeps finished output.
    """
    from voicegraph.graph.files.sound.batch import plan_batch

    taps = _taps(tap or [])
    loaded = load(pipeline, set_args, profiles)
    loaded.compile()  # errors of the pipeline come before any file is opened
    batch = plan_batch(inputs, output, ending)
    current = _Run(loaded, batch, taps, trace, subtype, force, salvage)
    with progress_display(quiet or as_json) as display:
        _run_all(current, display)
    if as_json:
        print_json(_report(current))
    else:
        _tell(current, quiet)
    return current.exit_code


def _taps(texts: list[str]) -> dict[str, str]:
    taps: dict[str, str] = {}
    for text in texts:
        port, equals, path = text.partition("=")
        if not equals or not port or not path:
            raise typer.BadParameter(f"{text!r} is not NODE.PORT=FILE.npz", param_hint="--tap")
        if port in taps:
            raise typer.BadParameter(f"{port} is tapped twice", param_hint="--tap")
        taps[port] = path
    return taps


def _run_all(current: _Run, display: ProgressDisplay) -> None:
    """Runs every job; if one of several files fails, the others are still converted."""
    for job in current.batch.jobs:
        try:
            current.done.append(_convert(current, job, display))
        except _OF_ONE_FILE as error:
            if current.batch.single:
                raise
            current.failed.append((job, error))
        except KeyboardInterrupt:
            current.stopped = True
        current.stopped |= any(report.stopped for report in current.done)
        if current.stopped:
            break


def _convert(current: _Run, job: Job, display: ProgressDisplay) -> FileReport:
    from voicegraph.graph.files.sound.batch import fill_name, folders_for
    from voicegraph.graph.files.sound.file_conversion import Extras, convert_file

    batch = current.batch
    taps = {port: fill_name(path, job, batch) for port, path in current.taps.items()}
    trace = fill_name(current.trace, job, batch) if current.trace else None
    display.begin(str(job.source))
    wanted = [job.target, *taps.values(), *([trace] if trace else [])]
    with nullcontext() if batch.single else folders_for(*wanted):
        return convert_file(
            current.pipeline,
            job.source,
            job.target,
            subtype=current.subtype,
            force=current.force,
            salvage=current.salvage,
            extras=Extras(taps, trace),
            progress=display,
            plans=current.plans,
        )


def _report(current: _Run) -> RunReport:
    from voicegraph.schemas.file_report import RunReport

    return RunReport(
        files=current.done,
        failed=[failed_file(job.source, error) for job, error in current.failed],
        skipped=current.batch.skipped,
        stopped=current.stopped,
    )


def _tell(current: _Run, quiet: bool) -> None:
    if not quiet:
        for report in current.done:
            echo(summary(report))
    for _, error in current.failed:
        echo(str(error), err=True)
    if not quiet and not current.batch.single:
        echo(_count(current))
    if current.stopped and not current.done:
        echo("stopped before anything was written", err=True)


def _count(current: _Run) -> str:
    parts = [f"{len(current.done)} of {len(current.batch.jobs)} files written"]
    if current.failed:
        names = ", ".join(str(job.source) for job, _ in current.failed)
        parts.append(f"{len(current.failed)} failed: {names}")
    if current.batch.skipped:
        parts.append(f"skipped, since they are not audio: {current.batch.skipped}")
    return "; ".join(parts)
