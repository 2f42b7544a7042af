"""What an experiment file measures, requires and compares."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from voicegraph.schemas.experiment_values import FactorName, FileModel, LevelRef, MetricName

OPTIONAL = "optional"
"""Key of an entry of ``metrics`` beside its metric."""

_GOAL_PATTERN = r"^(>=|<=|>|<) ?-?([0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9})$"


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


MetricEntries = Annotated[
    list[
        Annotated[
            dict[MetricName, Annotated[Any, Field(examples=[{}])]],
            AfterValidator(_one_metric),
            Field(examples=["pauses"]),
        ]
    ],
    BeforeValidator(_list_of_metrics),
]
"""Metrics by name, or as mappings of a name to params."""

Goal = Annotated[str, Field(pattern=_GOAL_PATTERN, examples=[">= 3.5"])]
"""What values of a metric should be."""


class Bounds(FileModel):
    """Limits of something that is known before anything runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max": 480}]})

    least: float | None = Field(
        default=None, alias="min", allow_inf_nan=False, description="least value", examples=[0]
    )
    greatest: float | None = Field(
        default=None, alias="max", allow_inf_nan=False, description="greatest value", examples=[480]
    )


class ComparedMetric(FileModel):
    """How a metric is compared."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"margin": 0.02}]})

    margin: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="a smaller difference does not matter: tests of equivalence; null: none",
        examples=[0.02],
    )


class Comparison(FileModel):
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
