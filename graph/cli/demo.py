"""``voicegraph demo``: the first thing a newcomer runs."""

from __future__ import annotations

import filecmp
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import OutputError, Problem
from .app import STOPPED, app
from .options import ForceOption, JsonOption, ProfileOption, SetOption, load
from .progress import meter, speed_text

if TYPE_CHECKING:
    from voicegraph.schemas.file_report import FileReport

    from ..pipeline import Pipeline
    from ..plan import Plan

PIPELINE = "world"

FolderArg = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where the files go; made if it is not there.")
]
PictureOption = Annotated[
    bool,
    typer.Option("--picture/--no-picture", help="Draw spectrograms and F0; needs matplotlib."),
]


@dataclass(frozen=True, slots=True)
class _Files:
    """What the demo writes."""

    original: Path
    converted: Path
    picture: Path

    @classmethod
    def below(cls, folder: Path) -> _Files:
        return cls(folder / "original.flac", folder / "converted.wav", folder / "converted.png")

    @property
    def existing(self) -> list[Path]:
        return [p for p in (self.original, self.converted, self.picture) if p.exists()]


@app.command()
def demo(
    folder: FolderArg = Path("demo"),
    picture: PictureOption = True,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Convert the recording that comes with voicegraph, and draw what happened to it.

    The pipeline is `world`, a voice changer without weights.
    Try `--set vars.transpose=-4`. Files of an earlier demo are replaced.
    """
    from ..drivers import clip
    from ..drivers.convert import convert_file
    from .output import print_json

    if picture:
        from ..views.picture import require_matplotlib

        require_matplotlib("voicegraph demo --no-picture")
    pipeline = load(PIPELINE, set_args, profiles)
    files = _Files.below(folder)
    with meter(quiet=as_json) as shown:
        _make_room(files, clip.path(), force)
        shown.begin(clip.NAME)
        shutil.copyfile(clip.path(), files.original)
        try:
            report = convert_file(
                pipeline, files.original, files.converted, force=True, progress=shown
            )
        except KeyboardInterrupt:
            typer.echo("stopped before anything was converted", err=True)
            return STOPPED
    if not report.stopped and picture:
        _draw(files, pipeline)
    if as_json:
        print_json(report)
    else:
        typer.echo(_page(report, files, pipeline.compile(), picture))
    return STOPPED if report.stopped else 0


def _make_room(files: _Files, recording: Path, force: bool) -> None:
    """The folder, and leave to write: an earlier demo is known by its copy of the recording."""
    folder = files.original.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"the folder {folder} cannot be made: {error.strerror}"
        raise OutputError(Problem("cannot-write", text)) from None
    ours = files.original.is_file() and filecmp.cmp(files.original, recording, shallow=False)
    if files.existing and not (ours or force):
        text = f"{files.existing[0]} exists, and is not from an earlier demo"
        fix = f"voicegraph demo {folder}-2    (or --force replaces it)"
        raise OutputError(Problem("exists", text, fix=fix))


def _draw(files: _Files, pipeline: Pipeline) -> None:
    from ..views.picture import Sound, draw

    settings = [
        f"{name} {pipeline.loaded.file.vars[name]}"
        for name in ("transpose", "formant")
        if name in pipeline.loaded.file.vars
    ]
    after = f"after: pipeline {pipeline.name}" + (f" ({', '.join(settings)})" if settings else "")
    before = Sound(files.original, "before: LibriSpeech 8088-284756-0000")
    draw(before, Sound(files.converted, after), files.picture, force=True)


def _page(report: FileReport, files: _Files, plan: Plan, picture: bool) -> str:
    from voicegraph.schemas.quantities import format_duration

    from ..drivers import clip

    latency = plan.latency
    lines = [
        f"{report.source.seconds:.1f} s of speech through the pipeline {report.pipeline}, "
        f"{len(plan.nodes)} nodes:",
        f"    {files.original}   the recording",
        f"    {files.converted}   what became of it",
        *([f"    {files.picture}   both as spectrograms, with F0"] if picture else []),
        f"speed    {speed_text(report.source.seconds, report.process_s)} "
        f"(real-time factor {report.real_time_factor:.2f}: that part of the time is computing)",
        f"latency  algorithmic {format_duration(latency.algorithmic)}, taken off the file; live, "
        f"buffering adds {format_duration(latency.buffering)} (2 blocks of "
        f"{format_duration(plan.block)}), and the sound card its own",
        *(f"note     {note}" for note in report.notes),
        f"speech   {clip.ATTRIBUTION}",
        "",
        f"next: voicegraph explain {PIPELINE}",
        f"      voicegraph run {PIPELINE} IN.wav OUT.wav --set vars.transpose=-4",
    ]
    if report.stopped:
        lines.insert(0, f"stopped: {files.converted} holds the first {report.target.seconds:.1f} s")
    return "\n".join(lines)
