"""Heat maps: means of a metric over two factors, as a table that is coloured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from voicegraph.schemas.experiment_manifest import CellFacts, MetricFacts

from ._numbers import NONE, number

STEPS = 9


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A combination of two levels: its text and its colour, 0 (worst) to 8 (best)."""

    text: str
    step: int | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A table of levels of one factor by levels of another."""

    metric: MetricFacts
    down: str
    across: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[HeatCell]]]
    averaged: int
    """Over how many cells each entry is averaged, at most."""


def heat_maps(
    metric: MetricFacts,
    cells: Sequence[CellFacts],
    factors: Mapping[str, Sequence[str]],
    means: Mapping[tuple[str, str], float],
) -> Sequence[HeatMap]:
    """One map for each pair of factors that vary."""
    shown = [cell for cell in cells if (cell.name, metric.name) in means and cell.levels]
    varied = [
        factor
        for factor in factors
        if len({cell.levels.get(factor) for cell in shown} - {None}) > 1
    ]
    return [
        _heat_map(metric, shown, (down, factors[down]), (across, factors[across]), means)
        for down, across in combinations(varied, 2)
    ]


def _heat_map(
    metric: MetricFacts,
    cells: Sequence[CellFacts],
    down: tuple[str, Sequence[str]],
    across: tuple[str, Sequence[str]],
    means: Mapping[tuple[str, str], float],
) -> HeatMap:
    gathered: dict[tuple[str, str], list[float]] = defaultdict(list)
    for cell in cells:
        key = cell.levels.get(down[0], ""), cell.levels.get(across[0], "")
        gathered[key].append(means[cell.name, metric.name])
    values = {key: float(np.mean(found)) for key, found in gathered.items()}
    low, high = min(values.values()), max(values.values())
    columns = [level for level in across[1] if any(key[1] == level for key in values)]
    rows = [
        (level, [_cell(values.get((level, c)), metric, low, high) for c in columns])
        for level in down[1]
        if any(key[0] == level for key in values)
    ]
    most = max(len(found) for found in gathered.values())
    return HeatMap(metric, down[0], across[0], columns, rows, most)


def _cell(value: float | None, metric: MetricFacts, low: float, high: float) -> HeatCell:
    if value is None:
        return HeatCell(NONE, None)
    share = 0.5 if high == low else (value - low) / (high - low)
    if metric.better == "lower":
        share = 1 - share
    return HeatCell(number(value, metric.digits), round(share * (STEPS - 1)))
