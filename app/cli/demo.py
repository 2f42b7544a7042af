"""``voicegraph demo``: the first thing a newcomer runs."""

from __future__ import annotations

import filecmp
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicegraph.graph.errors import OutputError, Problem

from .app import STOPPED, app
from .demo_takes import Take, chosen, complete_takes
from .options import ForceOption, JsonOption, ProfileOption, SetOption
from .progress import Meter, meter

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.file_report import FileReport, RunReport

FolderArg = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where the files go; made if it is not there.")
]
PictureOption = Annotated[
    bool,
    typer.Option("--picture/--no-picture", help="Draw spectrograms and F0; needs matplotlib."),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="NAME",
        help="Only this one: `world`, or a voice that comes along. May be repeated.",
        autocompletion=complete_takes,
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Files:
    """What the demo writes into its folder."""

    folder: Path

    @property
    def original(self) -> Path:
        """A copy of the recording."""
        return self.folder / "original.flac"

    @property
    def picture(self) -> Path:
        """All as spectrograms."""
        return self.folder / "demo.png"

    def converted(self, take: Take) -> Path:
        """What became of the recording."""
        return self.folder / f"{take.name}.wav"


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
    """Convert the recording that comes with voicegraph, and draw what became of it.

    Once with `world`, a voice changer without weights, and with each voice that comes along. Try
    `--set vars.transpose=-4`. Files of an earlier demo are replaced.
    """
    from .demo_page import page
    from .output import print_json

    if picture:
        from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib

        require_matplotlib("voicegraph demo --no-picture")
    pipelines = [(take, take.load(set_args or (), profiles or ())) for take in chosen(only or ())]
    files = Files(folder)
    _make_room(files, [take for take, _ in pipelines], force)
    with meter(quiet=as_json) as shown:
        done = _convert(files, pipelines, shown)
    stopped = len(done) < len(pipelines) or any(report.stopped for report in done.values())
    if not done:
        typer.echo("stopped before anything was converted", err=True)
        return STOPPED
    if picture and not stopped:
        _draw(files, pipelines)
    if as_json:
        print_json(_report(done, stopped))
    else:
        typer.echo(page(files, pipelines, done, picture and not stopped))
    return STOPPED if stopped else 0


def _make_room(files: Files, wanted: list[Take], force: bool) -> None:
    """The folder, and leave to write: an earlier demo is known by its copy of the recording."""
    from voicegraph.graph.files.sound import bundled_recording

    try:
        files.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"the folder {files.folder} cannot be made: {error.strerror}"
        raise OutputError(Problem("cannot-write", text)) from None
    original = files.original
    ours = original.is_file() and filecmp.cmp(original, bundled_recording.path(), shallow=False)
    ours_to_be = [original, files.picture, *(files.converted(take) for take in wanted)]
    there = [path for path in ours_to_be if path.exists()]
    if there and not (ours or force):
        text = f"{there[0]} exists, and is not from an earlier demo"
        fix = f"voicegraph demo {files.folder}-2    (or --force replaces it)"
        raise OutputError(Problem("exists", text, fix=fix))
    shutil.copyfile(bundled_recording.path(), original)


def _convert(
    files: Files, pipelines: list[tuple[Take, Pipeline]], shown: Meter
) -> dict[Take, FileReport]:
    """Those that were made before Ctrl-C; the last of them may be cut short."""
    from voicegraph.graph.files.sound.file_conversion import convert_file

    done: dict[Take, FileReport] = {}
    for take, pipeline in pipelines:
        shown.begin(take.name)
        target = files.converted(take)
        try:
            made = convert_file(pipeline, files.original, target, force=True, progress=shown)
        except KeyboardInterrupt:
            break
        done[take] = made
        if made.stopped:
            break
    return done


def _draw(files: Files, pipelines: list[tuple[Take, Pipeline]]) -> None:
    from voicegraph.graph.metrics.spectrogram_figure import Sound, draw

    sounds = [Sound(files.original, "before: LibriSpeech 8088-284756-0000")]
    for take, pipeline in pipelines:
        held = pipeline.loaded.file.vars
        settings = [f"{name} {held[name]}" for name in ("transpose", "formant") if held.get(name)]
        title = ", ".join((f"{take.name}: {take.subject}", *settings))
        sounds.append(Sound(files.converted(take), title))
    draw(sounds, files.picture, force=True)


def _report(done: dict[Take, FileReport], stopped: bool) -> RunReport:
    from voicegraph.schemas.file_report import RunReport

    return RunReport(files=list(done.values()), failed=[], skipped=0, stopped=stopped)
