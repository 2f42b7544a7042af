"""Arguments and options of ``voicegraph voice make``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ._options import argument, flag, option

_TRAINING = "Training"
_MATERIAL = "Recordings"
_CONSENT = "Consent"

_RECORDINGS = "Folders or files with 5 to 60 minutes of one person's speech, in any format."
_STEPS = "Training steps instead of minutes: gives the same weights on every run of this machine."
_PROCESSES = "Processes for everything but training. Default: one per core, up to 8."
_AGREES = "States in these words that the owner knows and agrees. Default: ask."
_ANYWAY = "Make a voice from less than 5 minutes of speech; its card says so."
_AGAIN = "Start over with the recordings as they are now; what is unchanged is not heard again."
_WORK = "Folder for intermediate files. Default: OUT.making."
_KEEP = "Keep the folder of intermediate files, so that a longer training can continue from it."

RecordingsArg = Annotated[list[Path], argument("RECORDINGS...", _RECORDINGS)]
VoiceArg = Annotated[Path, argument("OUT.safetensors", "The voice file to write.")]
MinutesOption = Annotated[float, option("N", "Minutes of training.", least=0.1, panel=_TRAINING)]
StepsOption = Annotated[int | None, option("N", _STEPS, least=1, panel=_TRAINING)]
SeedOption = Annotated[int, option(None, "Seed of random numbers.", least=0, panel=_TRAINING)]
ProcessesOption = Annotated[int | None, option("N", _PROCESSES, least=1, panel=_TRAINING)]
ThreadsOption = Annotated[int, option("N", "Threads of the training.", least=1, panel=_TRAINING)]
OwnerOption = Annotated[str | None, option("NAME", "Whose voice it is.", panel=_CONSENT)]
ConsentOption = Annotated[str | None, option('"NAME agrees"', _AGREES, panel=_CONSENT)]
TitleOption = Annotated[str | None, option("TEXT", "Title of the voice. Default: the file's name.")]
AnywayOption = Annotated[bool, flag("--anyway", _ANYWAY, _MATERIAL)]
AgainOption = Annotated[bool, flag("--again", _AGAIN, _MATERIAL)]
WorkOption = Annotated[Path | None, option("FOLDER", _WORK)]
KeepOption = Annotated[bool, flag("--keep", _KEEP)]
PictureOption = Annotated[bool, flag("--picture/--no-picture", "Draw a picture; needs matplotlib.")]
