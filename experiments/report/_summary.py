"""What the table and the pictures are made of, beside the means of cells."""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from voicegraph.schemas.experiment_manifest import CellFacts, Manifest, MetricFacts
from voicegraph.schemas.experiment_tables import CostRow, ValueRow

SpeakerMeans = Mapping[tuple[str, str], Mapping[str, float]]
"""(cell, metric) -> speaker -> mean over clips and seeds."""

Missing = Mapping[tuple[str, str], Mapping[str, int]]
"""(cell, metric) -> reason -> number of values that there are not."""

CPU_OF_A_BLOCK = MetricFacts(
    name="cpu_ms", title="CPU of a block", better="lower", unit="ms", digits=2
)
SHARE_OF_A_CORE = MetricFacts(name="cpu_rtf", title="share of a core", better="lower", digits=3)
_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_GOAL = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)(?:\s+\D*)?")


def speaker_means(values: Sequence[ValueRow]) -> SpeakerMeans:
    """Averages clips and seeds within each speaker; null values are left out."""
    gathered: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in values:
        if row.value is not None:
            gathered[row.cell, row.metric][row.speaker].append(row.value)
    return {
        key: {speaker: float(np.mean(found)) for speaker, found in sorted(speakers.items())}
        for key, speakers in gathered.items()
    }


def missing_values(values: Sequence[ValueRow]) -> Missing:
    """Counts null values by their reason."""
    counted: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in values:
        if row.value is None:
            counted[row.cell, row.metric][row.why_null or "no reason is given"] += 1
    return counted


def meets_goal(value: float, goal: str | None) -> bool | None:
    """Whether a value meets a goal such as ``>= .88``; None if there is none to judge by."""
    match = _GOAL.fullmatch(goal or "")
    return None if match is None else _COMPARISONS[match[1]](value, float(match[2]))


def costs_by_cell(costs: Sequence[CostRow]) -> Mapping[tuple[str, str], CostRow]:
    """(cell, figure) -> the first one measured, whatever it took turns with."""
    return {(row.cell, row.name): row for row in reversed(costs)}


def cpu_figure(manifest: Manifest, cells: Iterable[CellFacts]) -> MetricFacts:
    """What computing time of some cells is compared by.

    Blocks of different lengths are compared by what they take of a core: a longer block takes more
    time and less computing.
    """
    plans = [manifest.plans.get(cell.plan or "") for cell in cells]
    lengths = {plan.block_ms for plan in plans if plan is not None}
    return CPU_OF_A_BLOCK if len(lengths) < 2 else SHARE_OF_A_CORE


def primary_metrics(metrics: Sequence[MetricFacts], tested: Sequence[str]) -> Sequence[MetricFacts]:
    """Metrics with a direction: those that the experiment compares, then the others."""
    directed = [m for m in metrics if m.better and not m.name.startswith(("cost.", "latency."))]
    first = [m for m in directed if m.name in tested]
    return [*first, *(m for m in directed if m not in first)]
