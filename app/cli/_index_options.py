"""Arguments and options of ``voicegraph index``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ._completion import complete_pipelines
from ._options import argument, flag, option

_SOUND = "Sounds through a pipeline"
_CARD = "Card"

SourcesArg = Annotated[
    list[Path],
    argument(
        "SOURCE...",
        "Files of features (.npy) or folders with them, such as RVC's 3_feature768; with "
        "--through, sound files or folders.",
    ),
]
TargetArg = Annotated[
    Path,
    argument("OUT", "The index to write: .index as FAISS does, or .safetensors with a card."),
]
OptionalTargetArg = Annotated[
    Path | None,
    argument("OUT", "The index to write: .index or .safetensors. Not with --suggest."),
]
IndexArg = Annotated[
    Path, argument("INDEX", "An index, or a source-filter voice, which holds one.")
]
IndexesArg = Annotated[list[Path], argument("INDEX...", "Indexes, or voices that hold one.")]

ThroughOption = Annotated[
    str | None,
    option(
        "PIPELINE",
        "The pipeline whose encoder or retrieval gets the sounds.",
        panel=_SOUND,
        complete=complete_pipelines,
    ),
]
NodeOption = Annotated[
    str | None,
    option("NAME", "The encoder, if the pipeline has several.", panel=_SOUND),
]
SilenceOption = Annotated[
    float,
    option(
        "DB",
        "Frames whose level is so far below the loud ones of their file are left out.",
        panel=_SOUND,
        least=0,
    ),
]
OnOption = Annotated[
    list[str] | None,
    option(
        "FILE...",
        "Sounds whose features are searched for: all arguments up to the next option. Needs "
        "--through. Default: vectors of the index.",
        "--on",
        panel=_SOUND,
    ),
]
EncoderOption = Annotated[
    Path | None,
    option("FILE", "The content encoder that made the features, for the card.", panel=_CARD),
]
TitleOption = Annotated[str | None, option("TEXT", "Title in the card.", panel=_CARD)]
LicenceOption = Annotated[str | None, option("TEXT", "Terms of use, in the card.", panel=_CARD)]
OriginOption = Annotated[
    str | None, option("TEXT", "Origin of the index, in the card.", "--source", panel=_CARD)
]
ListsOption = Annotated[
    int | None,
    option("N", "Inverted lists. Default: those of the index; new ones as RVC has them.", least=1),
]
ProbesOption = Annotated[
    int, option("N", "Lists that a search visits, as the file will say.", "--nprobe", least=1)
]
OptionalProbesOption = Annotated[
    list[int] | None,
    option(
        "N",
        "Lists that a search visits, as the file will say. Default: as before. May be repeated "
        "with --suggest.",
        "--nprobe",
        least=1,
    ),
]
ClusterOption = Annotated[
    bool,
    flag(
        "--cluster/--no-cluster",
        "More than 200,000 vectors become 10,000 centres of k-means, as in RVC.",
    ),
]
DuplicatesOption = Annotated[bool, flag("--duplicates", "Keep vectors that are equal.")]
ToOption = Annotated[
    list[str] | None,
    option(
        "TYPE",
        "How vectors are stored: flat, fp16, sq8, sq4, pq:N or opq:N with N bytes a vector. May be "
        "repeated with --suggest.",
        "--to",
    ),
]
SuggestOption = Annotated[
    bool, flag("--suggest", "Try several types and print those that no other beats; write nothing.")
]
WithinOption = Annotated[
    list[str] | None,
    option(
        "LIMIT",
        "A condition, such as 'blend<=.02', 'recall>=.9', 'size<=20MB' or 'snr>=30dB'. If one does "
        "not hold, nothing is written and the exit code is 9. May be repeated.",
        "--within",
    ),
]
RateOption = Annotated[
    float,
    option("SHARE", "Share of the neighbours in the blend: retrieval's `rate`.", least=0, most=1),
]
FigureOption = Annotated[
    Path | None, option("FILE.png", "Draw what --suggest tried; needs matplotlib.", "--picture")
]
IndexSeedOption = Annotated[int, option(None, "Seed of all samples.", "--seed", least=0)]
IndexThreadsOption = Annotated[
    int, option("N", "Threads. Results repeat bit by bit with 1.", "--threads", least=1)
]
