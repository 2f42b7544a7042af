"""Arguments and options of ``voicegraph run``."""

from __future__ import annotations

from typing import Annotated

import typer

from ._options import argument, flag, option

_FORM = "Form of the output"

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
        panel=_FORM,
    ),
]
SubtypeOption = Annotated[
    str | None,
    option(
        "NAME",
        "Encoding: pcm_16, pcm_24, float, ... Default: 24 bits, if the format has them.",
        panel=_FORM,
    ),
]
RateOption = Annotated[
    int | None,
    option("HZ", "Sample rate of the output. Default: the pipeline's.", least=1, panel=_FORM),
]
ChannelsOption = Annotated[
    int | None,
    option("N", "Channels of the output. Default: the pipeline's.", least=1, panel=_FORM),
]
BitrateOption = Annotated[
    int | None,
    option("KBPS", "MP3 and Opus: kbit/s of all channels together.", least=1, panel=_FORM),
]
QualityOption = Annotated[
    float | None,
    option("0..10", "MP3 and Ogg Vorbis: variable bitrate; 10 is best.", panel=_FORM),
]
InputSelectOption = Annotated[
    str | None,
    option("N,N", "Channels of the input that are used, counted from 1. Default: all."),
]
SalvageOption = Annotated[
    bool, flag("--salvage", "Convert what can be read of a truncated or damaged input.")
]
QuietOption = Annotated[
    bool, flag("--quiet", "No progress and no summary; errors still show.", short="-q")
]


def channel_numbers(text: str | None, option_name: str) -> tuple[int, ...]:
    """Channels as typed, ``1,2``, counted from 0; empty if none are given.

    Raises:
        BadParameter: if they are not numbers from 1 on.
    """
    numbers = [part.strip() for part in (text or "").split(",") if part.strip()]
    if not all(number.isdecimal() and int(number) for number in numbers):
        message = f"{text!r} is not a list of channels, such as 1,2"
        raise typer.BadParameter(message, param_hint=option_name)
    return tuple(int(number) - 1 for number in numbers)
