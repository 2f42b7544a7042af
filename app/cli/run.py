"""``voicegraph run``: sound files through a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from voicegraph.graph.errors import InputError, OutputError, SignalError, VoicegraphError
from voicegraph.graph.startup_stages import report_stages

from ._failures import common_code, failed_file
from ._options import (
    AllowWriteOption,
    ConfineOption,
    ForceOption,
    JsonOption,
    PipelineArg,
    ProfileOption,
    SetOption,
    load,
)
from ._output import echo, print_json
from ._progress import ProgressDisplay, progress_display
from ._run_options import (
    BitrateOption,
    ChannelsOption,
    FormatOption,
    InputsArg,
    InputSelectOption,
    OutputArg,
    QualityOption,
    QuietOption,
    RateOption,
    SalvageOption,
    SubtypeOption,
    TapOption,
    TraceOption,
    channel_numbers,
)
from ._run_summary import summary
from ._startup_display import startup_display
from .app import STOPPED, app

if TYPE_CHECKING:
    from voicegraph.graph.files.sound.batch import Batch, Job
    from voicegraph.graph.files.sound.input_conversion import ConversionPlan
    from voicegraph.graph.files.sound.output_form import OutputForm
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.graph.signals import Audio
    from voicegraph.schemas.file_report import FileReport, RunReport

_OF_ONE_FILE = (InputError, OutputError, SignalError)
"""Errors of one file; any other error would occur again with the next file."""


@dataclass(slots=True)
class _Run:
    """One call of the command: its arguments and its results."""

    pipeline: Pipeline
    batch: Batch
    taps: dict[str, str]
    trace: str | None
    form: OutputForm
    select: tuple[int, ...]
    force: bool
    salvage: bool
    allow_write: tuple[Path, ...] = ()
    plans: dict[Audio, ConversionPlan] = field(default_factory=dict)
    done: list[FileReport] = field(default_factory=list)
    failed: list[tuple[Path, VoicegraphError]] = field(default_factory=list)
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
    rate: RateOption = None,
    channels: ChannelsOption = None,
    bitrate: BitrateOption = None,
    quality: QualityOption = None,
    input_select: InputSelectOption = None,
    force: ForceOption = False,
    salvage: SalvageOption = False,
    allow_write: AllowWriteOption = None,
    confine: ConfineOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Convert sound files: one, several, or whole folders.

    The output is time-aligned with the input and equally long.
    Existing files are kept, unless --force is given; a run that fails leaves no partial file.
    Ctrl-C keeps finished output.
    """
    from voicegraph.graph.files.sound.batch import plan_batch
    from voicegraph.graph.files.sound.output_form import OutputForm
    from voicegraph.graph.runtime.write_permission import permitted_writes

    taps = _taps(tap or [])
    folders = tuple(allow_write or ())
    select = channel_numbers(input_select, "--input-select")
    form = OutputForm(rate, channels, subtype, bitrate, quality)
    with startup_display(quiet or as_json, summary=False):
        loaded = load(pipeline, set_args, profiles, confine)
        # Errors of the pipeline come before any file is opened.
        permitted_writes(loaded.compile(), folders)
    batch = plan_batch(inputs, output, ending)
    current = _Run(loaded, batch, taps, trace, form, select, force, salvage, folders)
    with progress_display(quiet or as_json) as display, report_stages(display.stage):
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
    from voicegraph.graph.files.sound.batch_formats import settle_formats
    from voicegraph.graph.files.sound.folder_contents import unreadable

    if not current.batch.single:
        current.batch = settle_formats(
            current.batch, current.pipeline, current.form, current.select, current.plans
        )
    current.failed += [(path, unreadable(path)) for path in current.batch.unreadable]
    for job in current.batch.jobs:
        try:
            current.done.append(_convert(current, job, display))
        except _OF_ONE_FILE as error:
            if current.batch.single:
                raise
            current.failed.append((job.source, error))
        except KeyboardInterrupt:
            current.stopped = True
        current.stopped |= any(report.stopped for report in current.done)
        if current.stopped:
            break


def _convert(current: _Run, job: Job, display: ProgressDisplay) -> FileReport:
    from voicegraph.graph.files.sound.batch import fill_name
    from voicegraph.graph.files.sound.file_conversion import Extras, convert_file

    batch = current.batch
    taps = {port: fill_name(path, job, batch) for port, path in current.taps.items()}
    trace = fill_name(current.trace, job, batch) if current.trace else None
    display.begin(str(job.source))
    report = convert_file(
        current.pipeline,
        job.source,
        job.target,
        form=current.form,
        force=current.force,
        salvage=current.salvage,
        select=current.select,
        extras=Extras(taps, trace, current.allow_write),
        progress=display,
        plans=current.plans,
    )
    if job.note is None:
        return report
    return report.model_copy(update={"notes": (*report.notes, job.note)})


def _report(current: _Run) -> RunReport:
    from voicegraph.schemas.file_report import RunReport

    return RunReport(
        files=current.done,
        failed=[failed_file(path, error) for path, error in current.failed],
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
    total = len(current.batch.jobs) + len(current.batch.unreadable)
    parts = [f"{len(current.done)} of {total} files written"]
    if current.failed:
        names = ", ".join(str(path) for path, _ in current.failed)
        parts.append(f"{len(current.failed)} failed: {names}")
    if current.batch.skipped:
        parts.append(f"skipped, since they are not audio: {current.batch.skipped}")
    return "; ".join(parts)
