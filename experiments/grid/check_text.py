"""The report of ``voicegraph experiment check`` as text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.experiment_check import ExperimentCheckReport, TaskCount

_NOUNS = {
    "input": "clips under conditions",
    "convert": "conversions",
    "observe": "observations",
    "cost": "measurements of cost",
}
_SHOWN = 12
"""Lines of a list that are shown."""


def check_text(report: ExperimentCheckReport) -> str:
    """The report as text, the most important first."""
    blocks = [
        list(_head(report)),
        list(_work(report)),
        list(_excluded(report)),
        list(_effects(report)),
        list(_dependences(report)),
        list(_tests(report)),
        list(_warnings(report)),
    ]
    return "\n\n".join("\n".join(map(printable, block)) for block in blocks if block)


def _head(report: ExperimentCheckReport) -> Iterator[str]:
    run = report.cells - len(report.excluded)
    left = f", of which {run} run" if report.excluded else ""
    yield f"{report.name}: ok, {_number(report.cells, 'cell')}{left}"
    for factor, levels in report.factors.items():
        yield f"  {factor}: {', '.join(levels)}"
    if report.targets:
        yield f"  targets: {', '.join(report.targets)}"
    seeds = f", {len(report.seeds)} seeds" if len(report.seeds) > 1 else ""
    clips, speakers = _number(report.clips, "clip"), _number(report.speakers, "speaker")
    yield f"  {clips} of {speakers}{seeds}, {_number(report.plans, 'plan')}"


def _work(report: ExperimentCheckReport) -> Iterator[str]:
    for count in report.tasks:
        if count.tasks:
            yield f"  {count.tasks:6}  {_NOUNS[count.kind]}{_cached(count)}"
    if all(count.cached == count.tasks for count in report.tasks):
        yield "Everything is in the store; nothing is left to compute."
        return
    cores = os.cpu_count() or 1
    minutes = report.core_minutes
    known = f"{report.measured:.0%} of the tasks by earlier ones" if report.measured else ""
    how = f" ({known or 'a rule of thumb: nothing of it was measured yet'})"
    yield (
        f"about {_minutes(minutes)} on one core, {_minutes(minutes / cores)} on {cores}{how}; "
        f"{report.megabytes:.0f} MB in {report.store or 'the folder of the run'}"
    )
    if report.undecided:
        nodes = ", ".join(report.undecided)
        yield f"dtype: auto of {nodes} is decided by a trial at the first run, and then kept"


def _cached(count: TaskCount) -> str:
    return f", {count.cached} in the store" if count.cached else ""


def _excluded(report: ExperimentCheckReport) -> Iterator[str]:
    if report.excluded:
        yield "left out:"
        yield from _listed([f"  {cell.cell}: {cell.why}" for cell in report.excluded])


def _effects(report: ExperimentCheckReport) -> Iterator[str]:
    """Side effects, one line a level."""
    if not report.side_effects:
        return
    yield "what levels change besides themselves:"
    lines: dict[str, list[str]] = {}
    for effect in report.side_effects:
        head = f"  {effect.factor}={effect.level} instead of {effect.baseline}"
        lines.setdefault(head, []).append(f"{effect.what} {effect.before} -> {effect.after}")
    yield from _listed([f"{head}: {', '.join(changes)}" for head, changes in lines.items()])


def _dependences(report: ExperimentCheckReport) -> Iterator[str]:
    if not report.dependences:
        return
    yield "not independent:"
    systems: dict[tuple[str, str], list[str]] = {}
    for one in report.dependences:
        systems.setdefault((one.metric, one.why), []).append(one.system)
    metrics: dict[tuple[str, str], list[str]] = {}
    for (metric, why), names in systems.items():
        metrics.setdefault(("; ".join(names), why), []).append(metric)
    yield from _listed(
        [f"  {', '.join(names)} of {system}: {why}" for (system, why), names in metrics.items()]
    )


def _tests(report: ExperimentCheckReport) -> Iterator[str]:
    if report.contrasts:
        yield "tests:"
    for one in report.contrasts:
        within = f" at the same {', '.join(one.within)}" if one.within else ""
        costs = f", {one.family} of them of clips" if one.family < one.tests else ""
        yield (
            f"  {one.vary}: {', '.join(one.levels)} against {one.baseline}{within}; "
            f"{_number(len(one.metrics), 'metric')}, {_number(one.tests, 'test')}{costs} "
            f"({one.test}, {one.correct})"
        )


def _warnings(report: ExperimentCheckReport) -> Iterator[str]:
    for warning in report.warnings:
        where = f"{warning.where}  " if warning.where else ""
        yield f"warning: {where}{warning.message}"
        if warning.fix:
            yield from (f"  fix: {line}" for line in warning.fix.splitlines())


def _listed(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"  ... and {len(lines) - _SHOWN} more (--json has all)"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return f"{max(1, round(minutes * 60))} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
