"""``voicegraph experiment metrics``: what experiments measure, and what they do to clips."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from ._experiment_options import MetricsFileOption
from ._options import JsonOption, argument
from ._output import echo, print_json
from .experiment import experiment

if TYPE_CHECKING:
    from voicegraph.schemas.experiment_metrics import (
        ConditionInfo,
        FamilyInfo,
        MetricInfo,
        MetricsReport,
        ObserverInfo,
    )
    from voicegraph.schemas.report import ParamInfo

NameArg = Annotated[
    str | None,
    argument("NAME", "A family such as f0, a metric such as f0.cents, an observer, a condition."),
]


@experiment.command("metrics")
def experiment_metrics(
    name: NameArg = None, metrics_files: MetricsFileOption = None, as_json: JsonOption = False
) -> None:
    """List what experiments can measure: unit, direction, range, who hears, packages, licences.

    With a name, show its params, packages with the command that installs them, what its networks
    learned from, and sources. Conditions, which act on clips, are listed, too.
    """
    from ._startup import import_torch

    import_torch()
    from voicegraph.app.reports.metric_catalogue import describe_metrics, part_of
    from voicegraph.experiments.registry import load_file

    for path in metrics_files or ():
        load_file(path)
    everything = describe_metrics()
    found = everything if name is None else part_of(everything, name)
    if found is None:
        raise _unknown(name or "", everything)
    if as_json:
        print_json(found)
    else:
        echo(_overview(found) if name is None else _details(found))


def _unknown(name: str, everything: MetricsReport) -> Exception:
    from voicegraph.app.reports.metric_catalogue import all_names
    from voicegraph.graph.errors import PipelineError, Problem

    close = difflib.get_close_matches(name.lower(), all_names(everything), 1)
    families = ", ".join(family.name for family in everything.families)
    text = f"no metric, observer or condition is called {name}"
    command = "voicegraph experiment metrics"
    return PipelineError(
        Problem(
            "unknown-metric",
            text,
            notes=((f"families of metrics: {families}", None),),
            fix=f"{command} {close[0]}" if close else command,
        )
    )


def _overview(report: MetricsReport) -> str:
    from voicegraph.app.reports.text_table import Column, table

    parts = [_metrics(report.families)]
    columns = (
        Column("observer"), Column("packages", wraps=True), Column("licence", wraps=True),
        Column("learned from", wraps=True),
    )  # fmt: skip
    rows = [
        [o.name, o.error or _packages(o), o.licence, ", ".join(o.origins) or "-"]
        for o in report.observers
    ]
    parts.append("\n".join(table(columns, rows)))
    rows = [[c.name, c.error or f"{c.text} ({_names(c.params)})"] for c in report.conditions]
    parts.append("\n".join(table((Column("condition"), Column("", wraps=True)), rows)))
    parts.append("One of them: voicegraph experiment metrics NAME")
    return "\n\n".join(parts)


def _metrics(families: list[FamilyInfo]) -> str:
    """All metrics with their titles and who hears for them."""
    from voicegraph.app.reports.text_table import Column, table

    columns = (
        Column("metric"), Column("unit"), Column("better"), Column("range"), Column("heard by"),
        Column("", wraps=True),
    )  # fmt: skip
    rows: list[list[str] | str] = []
    for number, family in enumerate(families):
        if number:
            rows.append("")
        if family.error:
            rows.append(f"{family.name} cannot be loaded: {family.error}")
        rows += [[*_figures(m), _heard_by(m), m.title] for m in family.metrics]
    return "\n".join(table(columns, rows))


def _metrics_of(family: FamilyInfo) -> str:
    """The metrics of one family with what they are."""
    from voicegraph.app.reports.text_table import Column, table

    if family.error:
        return f"{family.name} cannot be loaded: {family.error}"
    columns = (
        Column("metric"), Column("unit"), Column("better"), Column("range"), Column("", wraps=True),
    )  # fmt: skip
    return "\n".join(table(columns, [[*_figures(m), m.text] for m in family.metrics]))


def _figures(metric: MetricInfo) -> list[str]:
    return [metric.name, metric.unit or "-", metric.better or "-", _range(metric)]


def _range(metric: MetricInfo) -> str:
    low, high = metric.low, metric.high
    if low is None and high is None:
        return "any"
    if high is None:
        return f"from {low:g}"
    return f"up to {high:g}" if low is None else f"{low:g} .. {high:g}"


def _heard_by(metric: MetricInfo) -> str:
    if metric.per == "plan":
        return "of a plan"
    names = dict.fromkeys(text for side in metric.hears.values() for text in side)
    return ", ".join(names)


def _packages(observer: ObserverInfo) -> str:
    if not observer.needs:
        return "none"
    return ", ".join(
        need.package if need.installed else f"{need.package} (not installed)"
        for need in observer.needs
    )


def _names(params: list[ParamInfo]) -> str:
    return ", ".join(param.name for param in params)


def _details(report: MetricsReport) -> str:
    parts: list[str] = []
    for family in report.families:
        parts.append(f"{family.name}: {family.text}" if family.text else family.name)
        parts.append(_metrics_of(family))
        parts += _params(family.params)
        parts.append("\n".join(_in_file(family)))
        parts += [_citations(family)] if any(m.citation for m in family.metrics) else []
    parts += ["\n".join(_observer(observer)) for observer in report.observers]
    parts += [part for condition in report.conditions for part in _condition(condition)]
    return "\n\n".join(parts)


def _params(params: list[ParamInfo]) -> list[str]:
    from .nodes import param_table

    return ["\n".join(param_table(params))] if params else []


def _in_file(family: FamilyInfo) -> Iterator[str]:
    yield "in an experiment file"
    yield "  metrics:"
    yield f"    - {family.name}"
    if family.params:
        first = family.params[0]
        words = first.default[0] if isinstance(first.default, list) else first.default
        yield f"    - {{{family.name}: {{{first.name}: {words}}}}}"


def _citations(family: FamilyInfo) -> str:
    sources = dict.fromkeys(metric.citation for metric in family.metrics if metric.citation)
    return "\n".join(["sources", *(f"  {source}" for source in sources)])


def _observer(observer: ObserverInfo) -> Iterator[str]:
    if observer.error:
        yield f"{observer.name} cannot be loaded: {observer.error}"
        return
    yield f"{observer.name}: {observer.text}"
    yield f"  hears         {observer.rate} Hz, version {observer.version}"
    yield f"  packages      {_packages(observer)}"
    if observer.install:
        first, *more = observer.install.splitlines()
        yield f"  install       {first}"
        yield from (f"                {line}" for line in more)
    yield f"  licence       {observer.licence or '-'}"
    if not observer.origins:
        yield "  learned from  nothing: independent of every system"
    for origin, what in observer.origins.items():
        yield f"  learned from  {origin}: {what}"


def _condition(condition: ConditionInfo) -> Iterator[str]:
    if condition.error:
        yield f"{condition.name} cannot be loaded: {condition.error}"
        return
    yield f"{condition.name}: {condition.text}"
    yield from _params(condition.params)
