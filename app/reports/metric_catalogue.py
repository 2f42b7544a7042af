"""Descriptions of what experiments can measure; nothing is loaded but the plug-ins' modules."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from voicegraph.experiments import conditions, metrics, observers, packages
from voicegraph.experiments.metric import Metric, Observer, Params
from voicegraph.graph.optional_packages import version_of
from voicegraph.schemas.experiment_metrics import (
    ConditionInfo,
    FamilyInfo,
    MetricInfo,
    MetricsReport,
    NeedInfo,
    ObserverInfo,
)
from voicegraph.schemas.report import ParamInfo

from ._param_descriptions import describe_params

T = TypeVar("T")


def describe_metrics() -> MetricsReport:
    """All families of metrics, observers and conditions, sorted by name."""
    return MetricsReport(
        families=[_family(name) for name in metrics.names()],
        observers=[_observer(name) for name in observers.names()],
        conditions=[_condition(name) for name in conditions.names()],
    )


def part_of(report: MetricsReport, name: str) -> MetricsReport | None:
    """What a name stands for, and who hears for it; None if nothing is called so.

    Args:
        report: all that there is.
        name: of a family, a metric, an observer or a condition.
    """
    families = [
        family.model_copy(update={"metrics": chosen})
        for family in report.families
        if (chosen := [m for m in family.metrics if name in (family.name, m.name)])
        or family.name == name
    ]
    heard = {text for family in families for metric in family.metrics for text in _heard(metric)}
    found = MetricsReport(
        families=families,
        observers=[each for each in report.observers if each.name in heard or each.name == name],
        conditions=[each for each in report.conditions if each.name == name],
    )
    return found if found.families or found.observers or found.conditions else None


def all_names(report: MetricsReport) -> list[str]:
    """Whatever :func:`part_of` knows."""
    own = [each.name for each in (*report.families, *report.observers, *report.conditions)]
    return [*own, *(metric.name for family in report.families for metric in family.metrics)]


def _heard(metric: MetricInfo) -> set[str]:
    return {text.partition("{")[0] for side in metric.hears.values() for text in side}


def _loaded(find: Callable[[str], T], name: str) -> T | str:
    """A class, or why it cannot be loaded: a broken add-on must not hide the others."""
    try:
        return find(name)
    except Exception as error:  # modules of strangers raise anything
        return f"{type(error).__name__}: {error}"


def _family(name: str) -> FamilyInfo:
    cls = _loaded(metrics.find, name)
    if isinstance(cls, str):
        return FamilyInfo(name=name, text="", params=[], metrics=[], error=cls)
    found: dict[str, Metric] = {}
    for example in cls.examples:
        asked = _loaded(lambda entry: metrics.ask(name, entry), example)
        if isinstance(asked, str):
            return FamilyInfo(name=name, text=cls.text, params=[], metrics=[], error=asked)
        found |= {metric.name: metric for metric in asked}
    return FamilyInfo(
        name=name,
        text=cls.text,
        params=describe_params(cls.params),
        metrics=[_metric(metric) for metric in found.values()],
        error=None,
    )


def _metric(metric: Metric) -> MetricInfo:
    sides = {
        "output": metric.made, "source": metric.source, "given": metric.given,
        "target": metric.targets,
    }  # fmt: skip
    return MetricInfo(
        name=metric.name,
        title=metric.title,
        unit=metric.unit,
        better=metric.better,
        low=_finite(metric.span[0]),
        high=_finite(metric.span[1]),
        ideal=metric.ideal,
        per=metric.per,
        hears={side: list(texts) for side, texts in sides.items() if texts},
        taps=list(metric.taps),
        text=metric.text,
        citation=metric.citation,
    )


def _observer(name: str) -> ObserverInfo:
    cls = _loaded(observers.find, name)
    if isinstance(cls, str):
        return ObserverInfo(
            name=name, text="", rate=0, version=0, needs=[], install=None, licence="", origins={},
            source="", error=cls,
        )  # fmt: skip
    problem = packages.missing(name, cls.needs)
    return ObserverInfo(
        name=name,
        text=_summary(cls),
        rate=cls.rate,
        version=cls.version,
        needs=list(_needs(cls)),
        install=problem.fix if problem else None,
        licence=cls.licence,
        origins={origin.name: origin.what for origin in cls.origins},
        source=cls.source,
        error=None,
    )


def _needs(cls: type[Observer]) -> Iterable[NeedInfo]:
    for need in cls.needs:
        yield NeedInfo(package=need.package + need.version, installed=version_of(need.package))


def _condition(name: str) -> ConditionInfo:
    cls = _loaded(conditions.find, name)
    if isinstance(cls, str):
        return ConditionInfo(name=name, text="", params=[], error=cls)
    return ConditionInfo(name=name, text=cls.text, params=_with_nested(cls.params), error=None)


def _with_nested(model: type[Params]) -> list[ParamInfo]:
    """Params, and below those that are mappings the keys of these, as ``room.t60``."""
    found: list[ParamInfo] = []
    for param in describe_params(model):
        nested = _nested(model.model_fields[param.name].annotation)
        if nested is None:
            found.append(param)
            continue
        words = param.type.replace(nested.__name__.lower(), "a mapping")
        found.append(param.model_copy(update={"type": words}))
        found += [
            inner.model_copy(update={"name": f"{param.name}.{inner.name}"})
            for inner in _with_nested(nested)
        ]
    return found


def _nested(annotation: Any) -> type[Params] | None:
    """The params that an annotation is, or has among its alternatives."""
    for member in (annotation, *typing.get_args(annotation)):
        if isinstance(member, type) and issubclass(member, Params):
            return member
    return None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _summary(cls: type[Any]) -> str:
    doc = inspect.getdoc(cls) if cls.__doc__ else ""
    return (doc or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")
