"""The experiment file: factors over pipelines, what is measured, and what is compared.

These models define the file format. The grid checks the rest: which metrics and conditions exist,
which params each of them has, and whether every pipeline compiles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from voicegraph.schemas.pipeline import IDENTIFIER, Name, Scalar, whole_version
from voicegraph.schemas.quantities import Duration, Rate

LEVEL = r"[A-Za-z0-9+_.-]([A-Za-z0-9 +_.()%-]{0,78}[A-Za-z0-9+_.)%-])?"
"""Names of levels: they appear in names of cells, in patterns such as ``noise=pink*``."""
OPTIONAL = "optional"
"""Key of an entry of ``metrics`` beside its metric."""
_MEMORY_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,3})? ?(k|M|G|T)i?B$"
_MEMORY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([kMGT])(i?)B", re.ASCII)
_GOAL_PATTERN = r"^(>=|<=|>|<) ?-?([0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9})$"


def parse_memory(value: Any) -> int:
    """Bytes of ``2GB``, ``500 MB`` or ``1.5GiB``.

    Raises:
        ValueError: if it is no such text.
    """
    if isinstance(value, str) and (match := _MEMORY.fullmatch(value.strip())):
        base = 1024 if match[3] else 1000
        return int(Fraction(match[1]) * base ** (" kMGT".index(match[2])))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1 << 20:
        return value
    raise ValueError(f"expected a size such as 2GB or 500MB, found {value!r:.60}")


def format_memory(size: int) -> str:
    """The shortest exact text: ``2GB``; bytes that are no multiple of 1000 stay a number."""
    for power, unit in ((4, "T"), (3, "G"), (2, "M"), (1, "k")):
        if size % 1000**power == 0:
            return f"{size // 1000**power}{unit}B"
    return f"{Fraction(size, 1024):.3f}kiB" if size % 1024 else f"{size // 1024}kiB"


def level_name(value: Any) -> str:
    """The name of a level that is given as a value, as YAML writes it: ``0.3``, ``true``."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _level_text(value: Any) -> Any:
    """A level that is referred to by a number, such as ``baseline: 0``."""
    return value if isinstance(value, (str, dict, list)) else level_name(value)


def _level(name: str) -> str:
    if not re.fullmatch(LEVEL, name, re.ASCII):
        allowed = "letters, digits, spaces and + - _ . ( ) %, at most 80"
        raise ValueError(f"{name!r:.90} cannot be the name of a level: it takes {allowed}")
    return name


def _strings(value: Any) -> Any:
    """One text as a list of one."""
    return [value] if isinstance(value, str) else value


def _as_range(value: Any) -> Any:
    """One length as a range of one; lists as tuples, which strict models ask for."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (value, value)
    return tuple(value) if isinstance(value, list) else value


def _ordered(value: tuple[float, float] | None) -> tuple[float, float] | None:
    if value is not None and value[0] > value[1]:
        raise ValueError(f"the first of the two lengths is the longer one, found {list(value)}")
    return value


def _distinct(values: list[Any]) -> list[Any]:
    names = [level_name(value) for value in values]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise ValueError(f"{double[0]} occurs twice")
    return values


def _list_of_metrics(value: Any) -> Any:
    """``metrics`` as list of mappings with one key: ``[pauses, {words: {model: x}}]``."""
    if not isinstance(value, list):
        return value
    return [{item: None} if isinstance(item, str) else item for item in value]


def _one_metric(entry: dict[str, Any]) -> dict[str, Any]:
    names = [key for key in entry if key != OPTIONAL]
    if len(names) != 1:
        found = f"found {', '.join(names)[:60]}" if names else "found none"
        raise ValueError(f"expected one metric for each entry of the list, {found}")
    if not isinstance(entry.get(OPTIONAL, False), bool):
        raise ValueError(f"expected true or false for optional, found {entry[OPTIONAL]!r:.60}")
    return entry


def _compared_metrics(value: Any) -> Any:
    return dict.fromkeys(value) if isinstance(value, list) and _texts(value) else value


def _texts(value: list[Any]) -> bool:
    return all(isinstance(item, str) for item in value)


FactorName = Annotated[str, Field(pattern=f"^{IDENTIFIER}$", examples=["tracker"])]
"""Name of a factor; a column of the results."""

LevelName = Annotated[str, AfterValidator(_level), Field(examples=["dio"])]
"""Name of a level of a factor."""

LevelRef = Annotated[
    str,
    BeforeValidator(_level_text),
    Field(examples=["dio"]),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]
"""Name of a level where it is referred to; numbers count as their text."""

MetricName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)*$", examples=["words.wer"])
]
"""Name of a metric: ``family`` or ``family.name``."""

DottedPath = Annotated[
    str,
    Field(pattern=r"^[^\s=.]+(\.[^\s=.]+)*$", examples=["vars.retrieve", "nodes.f0.use"]),
]
"""A value of a pipeline, as after ``--set``."""

Overrides = dict[DottedPath, Annotated[Any, Field(examples=[0.5])]]
"""Dotted path -> value, as after ``--set``."""

Text = Annotated[str, Field(min_length=1, examples=["text"])]

Texts = Annotated[
    list[Text],
    BeforeValidator(_strings),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]
"""One text, or several."""

Memory = Annotated[
    int,
    BeforeValidator(parse_memory),
    PlainSerializer(format_memory, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _MEMORY_PATTERN, "examples": ["2GB"]}),
]
"""A size in bytes. In files: a number and a unit, ``MB``, ``GB``, ``GiB``."""


class _FileModel(BaseModel):
    """Base of the models of this file: strict, frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_default=True)


# ---- clips and targets ----------------------------------------------------------------------


class Draw(_FileModel):
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


class Cut(_FileModel):
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


class ClipsSpec(_FileModel):
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


class TargetSpec(_FileModel):
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


# ---- factors --------------------------------------------------------------------------------


class LevelSpec(_FileModel):
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


class NodeLevel(_FileModel):
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


class SwapFactor(_FileModel):
    """A factor that swaps a node of the pipeline: short for ``nodes.NAME.use``."""

    swap: Name = Field(description="name of the node in the pipeline", examples=["f0"])
    levels: dict[LevelName, SwapLevel] = Field(
        min_length=1,
        description="name of the level -> node",
        examples=[{"dio": "f0.dio", "swift": "f0.swift"}],
    )


class ValuesFactor(_FileModel):
    """A factor that gives one value of the pipeline several values."""

    path: DottedPath = Field(
        alias="set", description="what is set, as after `--set`", examples=["vars.retrieve"]
    )
    values: (
        Annotated[list[Scalar], Field(min_length=1), AfterValidator(_distinct)]
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


# ---- measures -------------------------------------------------------------------------------


class Bounds(_FileModel):
    """Limits of something that is known before anything runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max": 480}]})

    least: float | None = Field(
        default=None, alias="min", allow_inf_nan=False, description="least value", examples=[0]
    )
    greatest: float | None = Field(
        default=None, alias="max", allow_inf_nan=False, description="greatest value", examples=[480]
    )


class ComparedMetric(_FileModel):
    """How a metric is compared."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"margin": 0.02}]})

    margin: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="a smaller difference does not matter: tests of equivalence; null: none",
        examples=[0.02],
    )


class Comparison(_FileModel):
    """Each level of a factor against its baseline; the tests of one entry are one family."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"vary": "tracker"}]})

    vary: FactorName = Field(description="the factor", examples=["tracker"])
    baseline: LevelRef | None = Field(
        default=None,
        description="the level that others are compared with; null: that of `baseline`, or the "
        "first",
        examples=["dio"],
    )
    within: list[FactorName] | None = Field(
        default=None,
        description="factors that are held: one test for each combination of their levels; null: "
        "all others. What is not held is averaged",
        examples=[["noise"]],
    )
    metrics: Annotated[
        dict[MetricName, ComparedMetric | None] | None, BeforeValidator(_compared_metrics)
    ] = Field(
        default=None,
        description="metrics to test, with margins of equivalence; null: all with a direction",
        examples=[{"words.wer": {"margin": 0.02}}],
    )
    test: Literal["permutation", "wilcoxon", "bootstrap"] = Field(
        default="permutation",
        description="how p is computed: sign flips, signed ranks, or the bootstrap",
        examples=["permutation"],
    )
    correct: Literal["holm", "bh", "none"] = Field(
        default="holm",
        description="correction for many tests, within this entry",
        examples=["holm"],
    )


# ---- running, keeping, reporting ------------------------------------------------------------


class Resources(_FileModel):
    """What tasks may take."""

    task_seconds: float = Field(
        default=15.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="how long one batch of tasks should compute, in seconds",
        examples=[15],
    )
    task_memory: Memory | None = Field(
        default=None,
        description="memory that a worker may take; null does not limit it",
        examples=["2GB"],
    )
    deadline: Duration | None = Field(
        default=None,
        gt=0,
        description="when a task is late; null: 10 times the median of its kind + 60 s",
        examples=["120s"],
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=20,
        description="attempts after a worker or machine has failed",
        examples=[2],
    )
    threads: int = Field(
        default=1, ge=1, le=256, description="threads of a task; part of what results depend on",
        examples=[1],
    )  # fmt: skip


class Keep(_FileModel):
    """What the run's folder keeps besides tables."""

    audio: Literal["all", "report", "none"] = Field(
        default="report",
        description="sounds: all, what the page plays, or none",
        examples=["report"],
    )
    taps: Literal["all", "report", "none"] = Field(
        default="none", description="recorded ports", examples=["none"]
    )


class PageAudio(_FileModel):
    """What the page plays."""

    clips: int = Field(
        default=3, ge=0, le=100, description="clips with their variants, 40 at most", examples=[3]
    )
    worst: int = Field(
        default=5, ge=0, le=100, description="worst clips of each metric", examples=[5]
    )


class ReportSpec(_FileModel):
    """The page."""

    title: Text | None = Field(
        default=None, description="title; null: the file's name", examples=["text"]
    )
    audio: PageAudio = Field(
        default_factory=PageAudio, description="what it plays", examples=[{"clips": 3, "worst": 5}]
    )
    format: Literal["opus", "flac", "wav"] = Field(
        default="opus", description="format of its sounds", examples=["opus"]
    )


class ExperimentFile(_FileModel):
    """An experiment: factors over pipelines, clips, metrics, and what is compared."""

    version: Annotated[Literal[1], BeforeValidator(whole_version)] = Field(
        default=1, description="version of this file format", examples=[1]
    )
    description: str | None = Field(default=None, description="what it asks", examples=["text"])
    extends: str | None = Field(
        default=None,
        description="the experiment that this one changes: name of a shipped one, or a path "
        "relative to this file. Mappings merge; factors and other values replace; null removes a "
        "factor, target, goal or requirement",
        examples=["trackers"],
    )
    vars: dict[Name, Annotated[Scalar, Field(examples=["required"])]] = Field(
        default_factory=dict,
        description="values by name, used as `$name` or `${name}`; `$$` is a dollar sign, for vars "
        "of a pipeline",
        examples=[{"speech": "required"}],
    )
    nodes: Texts | None = Field(
        default=None,
        description="Python files with nodes of your own, as --nodes-file",
        examples=[["my_yin.py"]],
    )
    metrics_files: Texts | None = Field(
        default=None,
        description="Python files with metrics, observers and conditions of your own",
        examples=[["creak.py"]],
    )
    clips: ClipsSpec = Field(
        default_factory=ClipsSpec,
        description="the recordings that are converted",
        examples=[{"files": "speech/**/*.flac"}],
    )
    targets: dict[Name, TargetSpec] = Field(
        default_factory=dict,
        description="whose voice it should be",
        examples=[{"heart": {"set": {"vars.voice": "voices/heart.safetensors"}}}],
    )
    pipeline: Text | None = Field(
        default=None,
        description="the pipeline of all cells, if no factor gives one",
        examples=["default-live"],
    )
    overrides: Overrides = Field(
        default_factory=dict,
        alias="set",
        description="overrides of all pipelines, before those of levels",
        examples=[{"block": "100ms"}],
    )
    factors: dict[FactorName, Factor] = Field(
        default_factory=dict,
        description="what varies, in the order in which overrides and conditions apply",
        examples=[{"tracker": {"swap": "f0", "levels": {"dio": "f0.dio", "swift": "f0.swift"}}}],
    )
    design: Literal["product", "zip", "one-at-a-time"] = Field(
        default="product",
        description="which combinations: all; the first levels, the second ...; or the baseline "
        "and what differs from it in one factor",
        examples=["product"],
    )
    baseline: dict[FactorName, LevelRef] = Field(
        default_factory=dict,
        description="level that others are compared with, by factor; others: the first",
        examples=[{"tracker": "dio"}],
    )
    exclude: list[
        Annotated[str | dict[FactorName, LevelRef], Field(examples=["noise=babble10"])]
    ] = Field(
        default_factory=list,
        description="combinations that are left out: `pipeline=world, noise=babble*`",
        examples=[["pipeline=world, noise=babble10"]],
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0, le=2**63 - 1)]], AfterValidator(_distinct)] = (
        Field(
            default_factory=lambda: [0],
            min_length=1,
            description="seeds of noise and pipeline; a clip's numbers are averaged over them",
            examples=[[1, 2, 3]],
        )
    )
    require: dict[MetricName, Bounds] = Field(
        default_factory=dict,
        description="limits of what a plan says, such as latency.algorithmic_ms: cells that break "
        "them are struck out before they run",
        examples=[{"latency.algorithmic_ms": {"max": 480}}],
    )
    metrics: Annotated[
        list[
            Annotated[
                dict[MetricName, Annotated[Any, Field(examples=[{}])]],
                AfterValidator(_one_metric),
                Field(examples=["pauses"]),
            ]
        ],
        BeforeValidator(_list_of_metrics),
    ] = Field(
        min_length=1,
        description="what is measured: names, or mappings of a name to params; with `optional: "
        "true` beside it, a metric whose package is missing is left out with a warning. "
        "`voicegraph experiment metrics` lists them",
        examples=[["latency"]],
    )
    goals: dict[MetricName, Annotated[str, Field(pattern=_GOAL_PATTERN, examples=[">= 3.5"])]] = (
        Field(
            default_factory=dict,
            description="what values should be, such as `>= .88`; marked in tables",
            examples=[{"quality.dnsmos": ">= 3.5"}],
        )
    )
    compare: list[Comparison] = Field(
        default_factory=list, description="what is tested", examples=[[{"vary": "tracker"}]]
    )
    resources: Resources = Field(
        default_factory=Resources, description="what tasks may take", examples=[{"threads": 1}]
    )
    strict: bool = Field(
        default=False,
        description="results of another kind of processor, system or libraries are computed anew",
        examples=[False],
    )
    store: Text | None = Field(
        default="default",
        description="folder of all results ever computed; `default`: in the user's cache folder, "
        "null: inside the run's folder",
        examples=["~/.cache/voicegraph/experiments"],
    )
    keep: Keep = Field(
        default_factory=Keep,
        description="what the run's folder keeps besides tables",
        examples=[{"audio": "report"}],
    )
    report: ReportSpec = Field(
        default_factory=ReportSpec, description="the page", examples=[{"title": "text"}]
    )
    profiles: dict[str, Annotated[dict[str, Any], Field(examples=[{"seeds": [1]}])]] = Field(
        default_factory=dict,
        description="named sets of overrides of this file: dotted path -> value; chosen with "
        "`--profile`",
        examples=[{"quick": {"clips.draw.speakers": 4}}],
    )


def values_by_name(factor: ValuesFactor) -> Mapping[str, Any]:
    """The values of a factor by the names of their levels."""
    if isinstance(factor.values, dict):
        return factor.values
    return {level_name(value): value for value in factor.values}
