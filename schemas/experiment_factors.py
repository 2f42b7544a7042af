"""The factors of an experiment file: what varies, and its levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from voicegraph.schemas.experiment_values import (
    DottedPath,
    FileModel,
    LevelName,
    LevelRef,
    Overrides,
    Text,
    Texts,
    distinct,
    level_name,
)
from voicegraph.schemas.pipeline import IDENTIFIER, Name, Scalar
from voicegraph.schemas.quantities import Duration, Rate


class LevelSpec(FileModel):
    """A level of a factor: a system, or overrides of one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"set": {"block": "100ms"}}]})

    pipeline: Text | None = Field(
        default=None,
        description="the system is a pipeline: name of a shipped one, or a path relative to this "
        "file",
        examples=["default-live"],
    )
    system: Literal["source", "target"] | None = Field(
        default=None,
        description="the system is none: `source` are the clips as they are, `target` the "
        "held-out speech of the target",
        examples=["source"],
    )
    command: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None,
        description="the system is a program that makes a WAV file of a WAV file: program and "
        "arguments, in which {input} and {output} are the two files, {target} is the first file "
        "of the target's speech and {seed} the seed",
        examples=[["convert.sh", "{input}", "{output}"]],
    )
    latency: Duration | None = Field(
        default=None,
        ge=0,
        description="the latency that the program would have as a stream; stated, not measured. "
        "Its output is taken to be aligned with its input",
        examples=["120ms"],
    )
    rate: Rate | None = Field(
        default=None,
        description="sample rate of the WAV file that the program gets, in Hz; null: the clip's",
        examples=[16000],
    )
    version: LevelRef | None = Field(
        default=None,
        description="version of the program; another one makes its results anew",
        examples=["1.2"],
    )
    files: Texts | None = Field(
        default=None,
        description="files whose contents decide what the program does, such as its weights; "
        "other contents make its results anew",
        examples=[["model.onnx"]],
    )
    overrides: Overrides = Field(
        default_factory=dict,
        alias="set",
        description="overrides of the pipeline, as `--set`; relative file names are looked for "
        "beside this file, the pipeline's and the shipped ones",
        examples=[{"block": "100ms"}],
    )
    profile: Texts | None = Field(
        default=None, description="profiles of the pipeline; they apply first", examples=["michael"]
    )
    match: Texts | None = Field(
        default=None,
        description="adapts params to each clip: `transpose` moves the clip's median F0 to the "
        "target's by vars.transpose (and vars.formant between the sexes), `start` gives it as "
        "vars.start",
        examples=["transpose"],
    )
    targets: list[Name] | None = Field(
        default=None, description="with these targets only; null: with all", examples=[["heart"]]
    )
    optional: bool = Field(
        default=False,
        description="leave the level out, with a warning, if a file or package that it needs is "
        "missing",
        examples=[True],
    )


class NodeLevel(FileModel):
    """A level of a factor that swaps a node."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"use": "f0.swift"}]})

    use: str = Field(
        pattern=rf"^{IDENTIFIER}\.{IDENTIFIER}$",
        description="the kind of node",
        examples=["f0.harvest"],
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="its params; others are those of the pipeline, where it has them",
        examples=[{"context": "200ms"}],
    )
    assets: dict[Name, Text] = Field(
        default_factory=dict,
        description="assets of the pipeline for it",
        examples=[{"rmvpe": "models/rmvpe.pt"}],
    )
    dtype: Literal["auto", "float32", "float16", "bfloat16", "int8"] | None = Field(
        default=None,
        description="its precision; null: that of the pipeline's node",
        examples=["float32"],
    )
    device: Text | None = Field(
        default=None, description="its device; null: that of the pipeline's node", examples=["cpu"]
    )
    overrides: Overrides = Field(
        default_factory=dict,
        alias="set",
        description="further overrides of the pipeline",
        examples=[{"vars.lookahead": "100ms"}],
    )
    optional: bool = Field(
        default=False,
        description="leave the level out, with a warning, if a file or package that it needs is "
        "missing",
        examples=[True],
    )


_NodeUse = Annotated[str, Field(pattern=rf"^{IDENTIFIER}\.{IDENTIFIER}$", examples=["f0.swift"])]


def _shape_of_swap_level(value: Any) -> str | None:
    return {str: "a name", dict: "a node", NodeLevel: "a node"}.get(type(value))


SwapLevel = Annotated[
    Annotated[_NodeUse, Tag("a name")] | Annotated[NodeLevel, Tag("a node")],
    Discriminator(
        _shape_of_swap_level,
        custom_error_type="level_type",
        custom_error_message="expected a node such as f0.swift, or a mapping with use and params",
    ),
]
"""A node by name, or with params."""


class SwapFactor(FileModel):
    """A factor that swaps a node of the pipeline: short for ``nodes.NAME.use``."""

    swap: Name = Field(description="name of the node in the pipeline", examples=["f0"])
    levels: dict[LevelName, SwapLevel] = Field(
        min_length=1,
        description="name of the level -> node",
        examples=[{"dio": "f0.dio", "swift": "f0.swift"}],
    )


class ValuesFactor(FileModel):
    """A factor that gives one value of the pipeline several values."""

    path: DottedPath = Field(
        alias="set", description="what is set, as after `--set`", examples=["vars.retrieve"]
    )
    values: (
        Annotated[list[Scalar], Field(min_length=1), AfterValidator(distinct)]
        | Annotated[dict[LevelName, Any], Field(min_length=1)]
    ) = Field(
        description="the values, which are the names of the levels, too; or name -> value",
        examples=[[0, 0.3, 1]],
    )


_LEVEL_KEYS = frozenset(field.alias or name for name, field in LevelSpec.model_fields.items())

ConditionSpec = Annotated[
    dict[str, Any], Field(min_length=1, examples=[{"noise": "pink", "snr": 20}])
]
"""A condition: its first key names it; all keys are its params."""


def _shape_of_level(value: Any) -> str | None:
    if isinstance(value, (dict, LevelSpec)):
        system = isinstance(value, LevelSpec) or value.keys() & _LEVEL_KEYS
        return "a level" if system else "a condition"
    return {type(None): "no condition", list: "a list of conditions"}.get(type(value))


Level = Annotated[
    Annotated[None, Tag("no condition")]
    | Annotated[LevelSpec, Tag("a level")]
    | Annotated[ConditionSpec, Tag("a condition")]
    | Annotated[Annotated[list[ConditionSpec], Field(min_length=1)], Tag("a list of conditions")],
    Discriminator(
        _shape_of_level,
        custom_error_type="level_type",
        custom_error_message="expected null, a mapping such as {pipeline: default} or "
        "{set: {block: 100ms}}, or a condition such as {noise: pink, snr: 20}",
    ),
]
"""Nothing, a system or overrides, a condition of the clip, or several conditions in a row."""


def _shape_of_factor(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return "a swap" if isinstance(value, SwapFactor) else "a value"
    if not isinstance(value, dict):
        return None
    if "swap" in value or "levels" in value:
        return "a swap"
    given = "values" in value or isinstance(value.get("set"), str)
    return "a value" if given else "plain levels"


Factor = Annotated[
    Annotated[SwapFactor, Tag("a swap")]
    | Annotated[ValuesFactor, Tag("a value")]
    | Annotated[
        Annotated[dict[LevelName, Level], Field(min_length=1)],
        Tag("plain levels"),
    ],
    Discriminator(
        _shape_of_factor,
        custom_error_type="factor_type",
        custom_error_message="expected {swap: NODE, levels: {...}}, {set: PATH, values: [...]}, or "
        "a mapping of levels",
    ),
]
"""What varies: a node, a value, or whatever its levels say."""


def values_by_name(factor: ValuesFactor) -> Mapping[str, Any]:
    """The values of a factor by the names of their levels."""
    if isinstance(factor.values, dict):
        return factor.values
    return {level_name(value): value for value in factor.values}
