"""The manifest of a run: everything that the tables do not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import Problem
from voicegraph.schemas.experiment_manifest import (
    CellFacts,
    ClipFacts,
    ContrastFacts,
    DependenceFacts,
    Manifest,
    MetricFacts,
    ObserverFacts,
    PageSettings,
    PlanReportFacts,
    SideEffectFacts,
    TargetFacts,
)

from ..compiled import CompiledExperiment, PlanFacts
from ..metric import Metric, Observer
from ..packages import weights_of
from ..registry import OBSERVERS
from . import _provenance


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a run came about.

    Attributes:
        command: as typed.
        started: when.
        stopped: whether it ended before everything was computed.
        hosts: machines on which tasks ran.
        store: folder of the store.
    """

    command: Sequence[str]
    started: datetime
    stopped: bool
    hosts: Iterable[str]
    store: Path


def explained_before(folder: Path) -> dict[str, str]:
    """What plans of an earlier call say by ``explain``, which takes 13 ms a plan, by their keys."""
    try:
        text = (folder / "manifest.json").read_text(encoding="utf-8")
        found = Manifest.model_validate_json(text)
    except (OSError, ValueError):  # none, or of another version
        return {}
    return {key: plan.explained for key, plan in found.plans.items()}


def manifest(
    compiled: CompiledExperiment,
    invocation: Invocation,
    refusal: Problem | None,
    explained: Mapping[str, str],
) -> Manifest:
    """The manifest of a compiled experiment.

    Args:
        compiled: the experiment.
        invocation: how the run came about.
        refusal: why nothing is tested, if so.
        explained: texts of plans that are known already, by key.
    """
    observers = _observers(compiled.metrics)
    commit, dirty = _provenance.commit()
    return Manifest(
        **_facts(compiled),
        plans={
            key: _plan(facts, explained.get(key) or facts.explained)
            for key, facts in compiled.plans.items()
        },
        description=str(compiled.resolved.get("description") or ""),
        command=tuple(invocation.command),
        started=_time(invocation.started),
        finished=_time(datetime.now(UTC)),
        stopped=invocation.stopped,
        voicegraph=_provenance.version(),
        commit=commit,
        dirty=dirty,
        packages=_provenance.packages(
            need.package for one in observers.values() for need in one.needs
        ),
        machines=_provenance.machines(invocation.hosts),
        store=str(invocation.store.absolute()),
        metrics=tuple(_metric(metric, compiled.goals) for metric in compiled.metrics),
        observers=tuple(_observer(name, one) for name, one in observers.items()),
        warnings=tuple(str(warning) for warning in compiled.warnings),
        statistics_refused=refusal.message if refusal else None,
        statistics_fix=refusal.fix if refusal else None,
        licences=_licences(compiled, observers),
        page=_page(compiled.resolved),
    )


def _facts(compiled: CompiledExperiment) -> dict[str, Any]:
    """What a compiled experiment says about itself."""
    return {
        "name": compiled.name,
        "title": compiled.title,
        "hash": compiled.hash,
        "seeds": tuple(compiled.seeds),
        "factors": {name: tuple(levels) for name, levels in compiled.factors.items()},
        "conditions": tuple(compiled.conditions),
        "cells": tuple(CellFacts.model_validate(cell) for cell in compiled.cells),
        "clips": tuple(ClipFacts.model_validate(clip) for clip in compiled.clips),
        "targets": {
            name: TargetFacts(
                name=name,
                speech=tuple(ClipFacts.model_validate(clip) for clip in target.speech),
                sounds=tuple(compiled.target_sounds.get(name, ())),
            )
            for name, target in compiled.targets.items()
        },
        "contrasts": tuple(ContrastFacts.model_validate(one) for one in compiled.contrasts),
        "side_effects": tuple(SideEffectFacts.model_validate(x) for x in compiled.side_effects),
        "dependences": tuple(DependenceFacts.model_validate(x) for x in compiled.dependences),
    }


def _plan(facts: PlanFacts, explained: str) -> PlanReportFacts:
    return PlanReportFacts(
        key=facts.key,
        described=facts.described,
        explained=explained,
        algorithmic_ms=facts.algorithmic_ms,
        buffering_ms=facts.buffering_ms,
        block_ms=facts.block_ms,
        files=facts.files,
        licences=facts.licences,
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _heard_by(metric: Metric) -> tuple[str, ...]:
    sides = (metric.made, metric.source, metric.given, metric.targets)
    return tuple(dict.fromkeys(name for side in sides for name in side))


def _observers(metrics: Iterable[Metric]) -> dict[str, type[Observer]]:
    names = dict.fromkeys(name for metric in metrics for name in _heard_by(metric))
    return {name: OBSERVERS.find(name.partition("{")[0]) for name in names}


def _metric(metric: Metric, goals: Mapping[str, str]) -> MetricFacts:
    return MetricFacts(
        name=metric.name,
        title=metric.title,
        better=metric.better,
        unit=metric.unit,
        digits=metric.digits,
        ideal=metric.ideal,
        text=metric.text,
        citation=metric.citation,
        observers=_heard_by(metric),
        goal=goals.get(metric.name),
    )


def _observer(name: str, one: type[Observer]) -> ObserverFacts:
    return ObserverFacts(
        name=name,
        version=one.version,
        package=", ".join(need.package for need in one.needs) or None,
        licence=one.licence,
        source=one.source,
        weights=weights_of(one.needs),
        learned_from={origin.name: origin.what for origin in one.origins},
    )


def _licences(
    compiled: CompiledExperiment, observers: Mapping[str, type[Observer]]
) -> dict[str, str]:
    found = {name: one.licence for name, one in observers.items() if one.licence}
    for facts in compiled.plans.values():
        found |= facts.licences
    return dict(sorted(found.items()))


def _page(resolved: Mapping[str, Any]) -> PageSettings:
    report = resolved.get("report") or {}
    audio = report.get("audio") or {}
    given = {"clips": audio.get("clips"), "worst": audio.get("worst")}
    given["format"] = report.get("format")
    return PageSettings.model_validate({k: v for k, v in given.items() if v is not None})
