"""What is known of a compiled experiment before it runs, as data."""

from __future__ import annotations

from collections.abc import Iterable

from voicegraph.graph.errors import Problem
from voicegraph.schemas.experiment_check import (
    ContrastReport,
    DependenceReport,
    ExcludedCell,
    ExperimentCheckReport,
    SideEffectReport,
    TaskCount,
)
from voicegraph.schemas.report import ProblemReport

from ..compiled import CompiledExperiment, Contrast
from ..store.store import Store
from ..task import Kind, Task
from ..work.precision_trial import undecided
from ._contrasts import compared_pairs, metrics_of_clips
from ._estimates import estimate


def check_report(compiled: CompiledExperiment, store: Store | None = None) -> ExperimentCheckReport:
    """The report about a compiled experiment.

    Args:
        compiled: the experiment.
        store: where results are; None if there are none yet.
    """
    known = [task for task in compiled.tasks if store is not None and store.has(task.key)]
    cached = {task.key for task in known}
    missing = [task for task in compiled.tasks if task.key not in cached]
    expected = estimate(missing, known, store)
    return ExperimentCheckReport(
        name=compiled.name,
        path=None if compiled.path is None else str(compiled.path),
        ok=True,
        warnings=problem_reports(compiled.warnings),
        cells=len(compiled.cells),
        excluded=[
            ExcludedCell(cell=cell.name, why=cell.excluded)
            for cell in compiled.cells
            if cell.excluded is not None
        ],
        factors={factor: list(levels) for factor, levels in compiled.factors.items()},
        clips=len(compiled.clips),
        speakers=len({clip.speaker for clip in compiled.clips}),
        targets=list(compiled.targets),
        seeds=list(compiled.seeds),
        plans=len(compiled.plans),
        tasks=[_count(kind, compiled.tasks, cached) for kind in Kind if kind is not Kind.PAGE],
        store=None if store is None else str(store.path),
        core_minutes=expected.seconds / 60,
        megabytes=expected.bytes / 1e6,
        measured=expected.measured / expected.tasks if expected.tasks else 1.0,
        undecided=_undecided(compiled),
        side_effects=[SideEffectReport.model_validate(_fields(e)) for e in compiled.side_effects],
        dependences=[DependenceReport.model_validate(_fields(d)) for d in compiled.dependences],
        contrasts=[_contrast(compiled, contrast) for contrast in compiled.contrasts],
    )


def problem_reports(problems: Iterable[Problem]) -> list[ProblemReport]:
    """Problems as data."""
    return [ProblemReport.model_validate(problem.as_dict()) for problem in problems]


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # pyright: ignore[reportAttributeAccessIssue]


def _count(kind: Kind, tasks: Iterable[Task], cached: set[str]) -> TaskCount:
    keys = [task.key for task in tasks if task.kind == kind]
    return TaskCount(kind=kind.value, tasks=len(keys), cached=len(cached.intersection(keys)))


def _undecided(compiled: CompiledExperiment) -> list[str]:
    """Nodes whose precision no task pins."""
    pinned = {
        (task.group, name)
        for task in compiled.tasks
        if task.kind == Kind.CONVERT
        for name, _ in getattr(task.work, "precisions", ())
    }
    found = [
        name
        for key, facts in compiled.plans.items()
        for name in undecided(facts.plan)
        if (key, name) not in pinned
    ]
    return list(dict.fromkeys(found))


def _contrast(compiled: CompiledExperiment, contrast: Contrast) -> ContrastReport:
    pairs = compared_pairs(compiled.cells, contrast)
    return ContrastReport(
        vary=contrast.vary,
        baseline=contrast.baseline,
        levels=[level for level in compiled.factors[contrast.vary] if level != contrast.baseline],
        within=list(contrast.within),
        metrics=list(contrast.metrics),
        tests=len(pairs) * len(contrast.metrics),
        family=len(pairs) * len(metrics_of_clips(contrast, compiled.metrics)),
        test=contrast.test,
        correct=contrast.correct,
    )
