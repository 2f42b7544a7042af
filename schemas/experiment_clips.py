"""The clips of an experiment file, and the voices that they are converted to."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from voicegraph.schemas.experiment_values import FileModel, LevelRef, Overrides, Text, Texts
from voicegraph.schemas.quantities import Duration


def _as_range(value: Any) -> Any:
    """One length as a range of one; lists as tuples, which strict models ask for."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (value, value)
    return tuple(value) if isinstance(value, list) else value


def _ordered(value: tuple[float, float] | None) -> tuple[float, float] | None:
    if value is not None and value[0] > value[1]:
        raise ValueError(f"the first of the two lengths is the longer one, found {list(value)}")
    return value


class Draw(FileModel):
    """Draws clips at random, before anything is measured."""

    speakers: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="how many speakers; null takes all",
        examples=[24],
    )
    each: int = Field(
        default=1, ge=1, le=10_000, description="clips of each speaker, at most", examples=[1]
    )
    seed: int = Field(
        default=0, ge=0, le=2**63 - 1, description="seed of the draw", examples=[2026]
    )
    balance: Text | None = Field(
        default=None,
        description="a column of the clips: equally many speakers with each of its values. Where "
        "no clip has a column `sex`, it is guessed from the median F0 (SwiftF0): below 150 Hz M, "
        "above 170 Hz F, and speakers between are not drawn",
        examples=["sex"],
    )
    without: list[LevelRef] = Field(
        default_factory=list,
        description="speakers that are not drawn, such as those that were known while a system "
        "was made",
        examples=[["8088"]],
    )


_LENGTH = {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}

_LENGTHS = {"type": "array", "items": _LENGTH, "minItems": 2, "maxItems": 2}


_Length = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class Cut(FileModel):
    """The part of each recording that counts."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"seconds": [5, 7], "at": "pause"}]})

    start: Duration = Field(
        default=Fraction(0), alias="from", ge=0, description="where it begins", examples=["0s"]
    )
    seconds: Annotated[
        tuple[_Length, _Length] | None,
        BeforeValidator(_as_range),
        AfterValidator(_ordered),
        WithJsonSchema({"anyOf": [_LENGTH, _LENGTHS, {"type": "null"}]}),
    ] = Field(
        default=None,
        description="its length: a number, or the least and the greatest length; null takes all",
        examples=[[5, 7]],
    )
    at: Literal["pause", "end"] = Field(
        default="pause",
        description="where between the two lengths it ends: at the quietest 0.1 s, or at the "
        "greatest length",
        examples=["pause"],
    )


class ClipsSpec(FileModel):
    """The recordings that are converted."""

    files: Texts | None = Field(
        default=None,
        description="a folder (with all below it), a pattern such as `speech/**/*.flac`, a CSV "
        "file with a column `file`, or a list of these; null is the recording in the package, of "
        "which no statistics can be made",
        examples=["speech/**/*.flac"],
    )
    only: Text | None = Field(
        default=None,
        alias="list",
        description="a CSV file that says which of the files count: columns `name` (a file without "
        "its ending), and optionally sha256, speaker, from, seconds and others",
        examples=["clips.csv"],
    )
    speaker: Text | None = Field(
        default=None,
        description="who speaks, the unit of all statistics: a column, or a template such as "
        "`{stem.split('-')[0]}` or `{parent.name}`; null takes the column `speaker`, or else what "
        "is before the first `-` of the file's name",
        examples=["{stem.split('-')[0]}", "{parent.name}", "speaker"],
    )
    name: Text | None = Field(
        default=None,
        description="name of a clip, as a column or a template; null takes the column `name`, or "
        "else the file's name without its ending",
        examples=["{stem}"],
    )
    draw: Draw | None = Field(
        default=None,
        description="draws some of them at random; null takes all",
        examples=[{"speakers": 24}],
    )
    cut: Cut | None = Field(
        default=None,
        description="the part of each that counts; null takes all",
        examples=[{"seconds": 5}],
    )


class TargetSpec(FileModel):
    """Whose voice a system speaks with."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"set": {"vars.voice": "voices/heart.safetensors"}}]}
    )

    overrides: Overrides = Field(
        default_factory=dict,
        alias="set",
        description="overrides of the pipelines for this target, such as its voice; those whose "
        "path a pipeline does not have are left out for it",
        examples=[{"vars.voice": "voices/heart.safetensors"}],
    )
    speech: Texts | None = Field(
        default=None,
        description="held-out recordings of the voice, as `clips.files`; needed by metrics of "
        "likeness to the target",
        examples=["heldout/heart/"],
    )
    sex: Literal["F", "M"] | None = Field(
        default=None,
        description="for `match: transpose`; null does not shift formants",
        examples=["F"],
    )
    median_hz: float | None = Field(
        default=None,
        gt=20,
        lt=2000,
        description="median F0 for `match: transpose`; null measures the held-out speech",
        examples=[195.0],
    )
