"""``voicegraph demo``: converts the bundled recording with the bundled pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.startup_stages import report_stages

from ._demo_conversions import Conversion, complete_conversions, select
from ._demo_files import DemoFiles
from ._options import ForceOption, JsonOption, ProfileOption, SetOption, argument, flag, option
from ._output import echo, print_json
from ._progress import ProgressDisplay, progress_display
from .app import STOPPED, app

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.file_report import FileReport, RunReport

FolderArg = Annotated[Path, argument("FOLDER", "Folder for the files; it is made if needed.")]
PictureOption = Annotated[
    bool, flag("--picture/--no-picture", "Draw spectrograms and F0; needs matplotlib.")
]
OnlyOption = Annotated[
    list[str] | None,
    option(
        "NAME",
        "Only this conversion: `world`, or a bundled voice. May be repeated.",
        "--only",
        complete=complete_conversions,
    ),
]


@app.command()
def demo(
    folder: FolderArg = Path("demo"),
    picture: PictureOption = True,
    only: OnlyOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Convert the recording that comes with voicegraph, and draw the results.

    It is converted with `world`, a voice changer without weights, and with each bundled voice. Try
    `--set vars.transpose=-4`. Files of an earlier demo are replaced.
    """
    from ._demo_summary import summary

    if picture:
        from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib

        require_matplotlib("voicegraph demo --no-picture")
    pipelines = [(one, one.load(set_args or (), profiles or ())) for one in select(only or ())]
    files = DemoFiles(folder)
    files.prepare([one for one, _ in pipelines], force)
    with progress_display(quiet=as_json) as display, report_stages(display.stage):
        done = _convert(files, pipelines, display)
    stopped = len(done) < len(pipelines) or any(report.stopped for report in done.values())
    if not done:
        echo("stopped before anything was converted", err=True)
        return STOPPED
    if picture and not stopped:
        _draw(files, pipelines)
    if as_json:
        print_json(_report(done, stopped))
    else:
        echo(summary(files, pipelines, done, picture and not stopped))
    return STOPPED if stopped else 0


def _convert(
    files: DemoFiles, pipelines: list[tuple[Conversion, Pipeline]], display: ProgressDisplay
) -> dict[Conversion, FileReport]:
    """The conversions made before Ctrl-C; the last of them may be cut short."""
    from voicegraph.graph.files.sound.file_conversion import convert_file

    done: dict[Conversion, FileReport] = {}
    for conversion, pipeline in pipelines:
        display.begin(conversion.name)
        target = files.converted(conversion)
        try:
            report = convert_file(pipeline, files.original, target, force=True, progress=display)
        except KeyboardInterrupt:
            break
        done[conversion] = report
        if report.stopped:
            break
    return done


def _draw(files: DemoFiles, pipelines: list[tuple[Conversion, Pipeline]]) -> None:
    from voicegraph.graph.metrics.spectrogram_figure import Sound, draw

    sounds = [Sound(files.original, "before: LibriSpeech 8088-284756-0000")]
    for conversion, pipeline in pipelines:
        values = pipeline.loaded.file.vars
        settings = [f"{key} {values[key]}" for key in ("transpose", "formant") if values.get(key)]
        title = ", ".join((f"{conversion.name}: {conversion.subject}", *settings))
        sounds.append(Sound(files.converted(conversion), title))
    draw(sounds, files.picture, force=True)


def _report(done: dict[Conversion, FileReport], stopped: bool) -> RunReport:
    from voicegraph.schemas.file_report import RunReport

    return RunReport(files=list(done.values()), failed=[], skipped=0, stopped=stopped)
