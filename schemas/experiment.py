"""The experiment file: factors over pipelines, what is measured, and what is compared.

These models define the file format. The grid checks the rest: which metrics and conditions exist,
which params each of them has, and whether every pipeline compiles.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from voicegraph.schemas.experiment_clips import ClipsSpec, TargetSpec
from voicegraph.schemas.experiment_factors import Factor
from voicegraph.schemas.experiment_measures import Bounds, Comparison, Goal, MetricEntries
from voicegraph.schemas.experiment_page import ReportSpec
from voicegraph.schemas.experiment_resources import Keep, Resources
from voicegraph.schemas.experiment_values import (
    FactorName,
    FileModel,
    LevelRef,
    MetricName,
    Overrides,
    Text,
    Texts,
    distinct,
)
from voicegraph.schemas.pipeline import Name, Scalar, whole_version


class ExperimentFile(FileModel):
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
    seeds: Annotated[list[Annotated[int, Field(ge=0, le=2**63 - 1)]], AfterValidator(distinct)] = (
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
    metrics: MetricEntries = Field(
        min_length=1,
        description="what is measured: names, or mappings of a name to params; with `optional: "
        "true` beside it, a metric whose package is missing is left out with a warning. "
        "`voicegraph experiment metrics` lists them",
        examples=[["latency"]],
    )
    goals: dict[MetricName, Goal] = Field(
        default_factory=dict,
        description="what values should be, such as `>= .88`; marked in tables",
        examples=[{"quality.dnsmos": ">= 3.5"}],
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
