"""Arguments and options of ``voicegraph voice list``, ``show``, ``add``, ``edit`` and others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ._completion import complete_voices
from ._options import argument, flag, option

_CARD = "What its card says"
_SETTINGS = "Settings that fit it"
_SOURCES = (
    "Files (.pth, .safetensors, .onnx, .index), zips or folders; those of one voice together. A "
    "content encoder or pitch model is added in the same way."
)
_NAME = "Its name in the library. Default: made of the file's name."
_ENCODER = "The content encoder in the library that it takes. Default: found by its contents."
_SAMPLE = "A recording of the voice, on which its pitch is measured, for `pitch.auto`."
_PICTURE = "Its picture: PNG, JPEG, WebP or GIF."
_RATIO = "Share of the first voice, more than 0 and less than 1."

SourcesArg = Annotated[list[Path], argument("SOURCE...", _SOURCES)]
EntryArg = Annotated[str, argument("NAME", "Its name in the library.", complete_voices)]
EntriesArg = Annotated[list[str], argument("NAME...", "Names in the library.", complete_voices)]
FirstArg = Annotated[str, argument("FIRST", "A voice in the library.", complete_voices)]
SecondArg = Annotated[str, argument("SECOND", "Another one.", complete_voices)]
NameOption = Annotated[str | None, option("NAME", _NAME)]
RatioOption = Annotated[float, option("SHARE", _RATIO)]
ReplaceOption = Annotated[bool, flag("--force", "Replace what has that name.")]
AnyhowOption = Annotated[bool, flag("--force", "Remove encoders that voices use, too.")]
CardTitleOption = Annotated[str | None, option("TEXT", "Its name for people.", panel=_CARD)]
LicenceOption = Annotated[str | None, option("TEXT", "Terms of use.", panel=_CARD)]
AuthorOption = Annotated[str | None, option("TEXT", "Who made it.", panel=_CARD)]
DescriptionOption = Annotated[str | None, option("TEXT", "What it is.", panel=_CARD)]
CardPictureOption = Annotated[Path | None, option("FILE", _PICTURE, "--picture", panel=_CARD)]
LibraryEncoderOption = Annotated[
    str | None, option("NAME", _ENCODER, "--encoder", panel=_CARD, complete=complete_voices)
]
SampleOption = Annotated[Path | None, option("FILE", _SAMPLE, panel=_CARD)]
TransposeOption = Annotated[
    float | None,
    option("SEMITONES", "Pitch shift.", panel=_SETTINGS, least=-48, most=48),
]
FormantOption = Annotated[
    float | None,
    option("SEMITONES", "Formant shift.", panel=_SETTINGS, least=-24, most=24),
]
IndexRateOption = Annotated[
    float | None,
    option("SHARE", "Share taken from its index.", panel=_SETTINGS, least=0, most=1),
]
ProtectOption = Annotated[
    float | None,
    option("SHARE", "Share of it in unvoiced sounds.", panel=_SETTINGS, least=0, most=0.5),
]
SpeakerOption = Annotated[
    int | None, option("N", "Which of its speakers.", panel=_SETTINGS, least=0)
]
