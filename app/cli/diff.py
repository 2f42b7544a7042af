"""``voicegraph diff``: compares two plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ._completion import complete_pipelines, complete_set
from ._options import (
    JsonOption,
    PipelineArg,
    ProfileOption,
    SetOption,
    argument,
    flag,
    load,
    option,
)
from ._output import echo, print_json
from .app import app

if TYPE_CHECKING:
    from voicegraph.app.reports.plan_diff import PlanDiff
    from voicegraph.graph.pipeline import Plan

OtherArg = Annotated[
    str | None,
    argument(
        "OTHER",
        "The pipeline to compare with. Default: PIPELINE with --set and --profile applied.",
        complete_pipelines,
    ),
]
BothOption = Annotated[
    list[str] | None,
    option(
        "PATH=VALUE",
        "Override a value in both. May be repeated.",
        "--set-both",
        complete=complete_set,
    ),
]
MeasureOption = Annotated[bool, flag("--measure", "Run both on noise, and compare their costs.")]
SecondsOption = Annotated[float, option("S", "Seconds to measure each for.", least=0.1, most=600)]


@app.command()
def diff(
    pipeline: PipelineArg,
    other: OtherArg = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    set_both: BothOption = None,
    measure: MeasureOption = False,
    seconds: SecondsOption = 2.0,
    as_json: JsonOption = False,
) -> None:
    """Compare two pipelines: nodes, params, types, latency, placement, and cost.

    `--set` and `--profile` apply to the second one:

    voicegraph diff world --set nodes.f0.use=f0.dio --measure
    """
    from voicegraph.schemas.diff_report import DiffReport

    second = other or pipeline
    both = set_both or []
    one = load(pipeline, both).compile()
    two = load(second, [*both, *(set_args or [])], profiles).compile()
    changes = [*(set_args or []), *(f"profile {name}" for name in profiles or [])]
    named = f"{second} with {', '.join(changes)}" if changes else second
    found = _compare(one, two, (pipeline, named), seconds if measure else None)
    if as_json:
        print_json(DiffReport.model_validate(found.as_dict()))
    else:
        echo(str(found))


def _compare(one: Plan, two: Plan, names: tuple[str, str], seconds: float | None) -> PlanDiff:
    from voicegraph.app.reports.plan_diff import diff

    if seconds is None:
        return diff(one, two, names=names)
    from voicegraph.graph.metrics.paired_benchmark import measure

    return diff(one, two, names=names, timings=measure(one, two, seconds))
