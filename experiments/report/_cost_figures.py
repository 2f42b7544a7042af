"""The section "quality against cost": which pictures there are, and what they leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from voicegraph.schemas.experiment_manifest import CellFacts, Manifest, MetricFacts
from voicegraph.schemas.experiment_tables import CostRow

from ..results.means import MeanRow
from ._answers import latency_ms
from ._pareto import Point, fronts, pareto_plot
from ._summary import costs_by_cell, cpu_figure

_MOST_METRICS = 2
_LATENCY = MetricFacts(name="latency_ms", title="latency", better="lower", unit="ms", digits=0)
Means = Mapping[tuple[str, str], MeanRow]
"""(cell, metric) -> mean over speakers."""


@dataclass(frozen=True, slots=True)
class CostFigure:
    """A picture.

    Attributes:
        title: what it shows.
        picture: SVG.
        fronts: condition and target -> cells that no other one beats in both.
        absent: cells that have the metric, and no such cost.
    """

    title: str
    picture: Markup
    fronts: Mapping[str, Sequence[str]]
    absent: Sequence[str]


@dataclass(frozen=True, slots=True)
class CostFigures:
    """All pictures of the section.

    Attributes:
        figures: of the first metrics that differ between cells.
        flat: metrics that come before these, and are the same in all cells.
        grouped: whether there is a front for each condition or target.
        why_none: why there is no picture; empty if there is one.
    """

    figures: Sequence[CostFigure]
    flat: Sequence[str]
    grouped: bool
    why_none: str


@dataclass(slots=True)
class CostTables:
    """What the pictures are made of.

    Attributes:
        manifest: of the run.
        cells: those that were not struck out.
        means: over speakers.
        costs: of cells.
        series: factor by which points are coloured.
    """

    manifest: Manifest
    cells: Sequence[CellFacts]
    means: Means
    costs: Sequence[CostRow]
    series: str
    _by_cell: Mapping[tuple[str, str], CostRow] = field(init=False)
    _conditions: Sequence[str] = field(init=False)
    _several_targets: bool = field(init=False)

    def __post_init__(self) -> None:
        self._by_cell = costs_by_cell(self.costs)
        self._conditions = [
            factor
            for factor in self.manifest.conditions
            if len({cell.levels.get(factor) for cell in self.cells} - {None}) > 1
        ]
        self._several_targets = len({cell.target for cell in self.cells} - {None}) > 1

    def values(self, metric: str) -> set[float | None]:
        """All means of a metric."""
        found = (self.means.get((cell.name, metric)) for cell in self.cells)
        return {row.mean for row in found if row is not None}

    def cost(self, cell: CellFacts, kind: MetricFacts) -> float | None:
        """Computing time or latency of a cell."""
        if kind is _LATENCY:
            return latency_ms(self.manifest, cell)
        row = self._by_cell.get((cell.name, kind.name))
        return None if row is None else row.value

    def group(self, cell: CellFacts) -> str:
        """Condition and target, as far as they differ between cells."""
        named = [cell.levels[f] for f in self._conditions if f in cell.levels]
        if self._several_targets and cell.target:
            named.append(cell.target)
        return ", ".join(named)

    def level(self, cell: CellFacts) -> str:
        """By which a cell is coloured."""
        return cell.levels.get(self.series, cell.name)


def cost_figures(tables: CostTables, metrics: Sequence[MetricFacts]) -> CostFigures:
    """Pictures of the first metrics that differ between cells.

    Args:
        tables: of the run.
        metrics: with a direction, the most wanted ones first.
    """
    found: list[CostFigure] = []
    flat: list[str] = []
    shown = 0
    kinds = cpu_figure(tables.manifest, tables.cells), _LATENCY
    for metric in metrics:
        if shown == _MOST_METRICS:
            break
        if len(tables.values(metric.name)) < 2:
            flat.append(metric.title)
            continue
        both = [_figure(tables, metric, kind) for kind in kinds]
        found += [figure for figure in both if figure is not None]
        shown += 1
    grouped = len({tables.group(cell) for cell in tables.cells}) > 1
    why = "" if found else _why_none(tables, bool(shown))
    return CostFigures(found, flat if found else (), grouped, why)


def _figure(tables: CostTables, metric: MetricFacts, kind: MetricFacts) -> CostFigure | None:
    """A metric against a cost; None if all cells cost the same."""
    points, absent = [], []
    for cell in tables.cells:
        mean, cost = tables.means.get((cell.name, metric.name)), tables.cost(cell, kind)
        if mean is None or mean.mean is None:
            continue
        if cost is None:
            absent.append(cell.name)
            continue
        group, level = tables.group(cell), tables.level(cell)
        points.append(Point(cell.name, cost, mean.mean, mean.low, mean.high, level, group))
    if len({point.cost for point in points}) < 2:
        return None
    named = {
        group: [point.cell for point in best]
        for group, best in fronts(points, metric.better or "higher").items()
    }
    # ElementTree has escaped every text in it.
    series = [tables.level(cell) for cell in tables.cells]
    axis = f"{kind.title} in {kind.unit}" if kind.unit else kind.title
    picture = Markup(pareto_plot(metric, points, axis, series))
    return CostFigure(f"{metric.title} against {kind.title}", picture, named, absent)


def _why_none(tables: CostTables, differ: bool) -> str:
    if not tables.means:
        return "There are no values yet."
    if not differ:
        return "No metric with a better direction differs between cells."
    if not any(row.name == "cpu_ms" for row in tables.costs):
        return (
            "Computing time was not measured (metric `cost`), and no two cells differ in latency."
        )
    return "All cells cost the same."
