"""Arguments and options of ``voicegraph voice make``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_TRAINING = "Training"
_MATERIAL = "Recordings"
_CONSENT = "Consent"

RecordingsArg = Annotated[
    list[Path],
    typer.Argument(
        metavar="RECORDINGS...",
        help="Folders or files with 5 to 60 minutes of one person's speech, in any format.",
        show_default=False,
    ),
]
VoiceArg = Annotated[
    Path,
    typer.Argument(metavar="OUT.safetensors", help="The voice to make.", show_default=False),
]
MinutesOption = Annotated[
    float,
    typer.Option(
        min=0.1, metavar="N", help="Minutes of training, by the clock.", rich_help_panel=_TRAINING
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Steps of training instead: the same weights on every run of this machine.",
        rich_help_panel=_TRAINING,
        show_default=False,
    ),
]
SeedOption = Annotated[
    int, typer.Option(min=0, help="What is drawn at random.", rich_help_panel=_TRAINING)
]
ProcessesOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Processes for all but the training. Default: one for each core, up to 8.",
        rich_help_panel=_TRAINING,
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int,
    typer.Option(min=1, metavar="N", help="Threads for the training.", rich_help_panel=_TRAINING),
]
OwnerOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Whose voice it is.", rich_help_panel=_CONSENT, show_default=False
    ),
]
ConsentOption = Annotated[
    str | None,
    typer.Option(
        metavar='"NAME agrees"',
        help="That its owner knows and agrees, in these words; else it is asked for.",
        rich_help_panel=_CONSENT,
        show_default=False,
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="A name for people. Default: the file's.", show_default=False
    ),
]
AnywayOption = Annotated[
    bool,
    typer.Option(
        "--anyway",
        help="Make a voice of less than 5 minutes; its card says so.",
        rich_help_panel=_MATERIAL,
    ),
]
AgainOption = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Begin anew, instead of going on where it was.",
        rich_help_panel=_MATERIAL,
    ),
]
WorkOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder for all that is made on the way. Default: OUT.making.",
        show_default=False,
    ),
]
KeepOption = Annotated[
    bool,
    typer.Option("--keep", help="Keep that folder, so that a longer training can go on from it."),
]
PictureOption = Annotated[
    bool, typer.Option("--picture/--no-picture", help="Draw a picture; needs matplotlib.")
]
