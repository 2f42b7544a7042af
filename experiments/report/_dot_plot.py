"""Dot plots: each speaker's value of a metric, with mean and interval, one row a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voicegraph.schemas.experiment_manifest import MetricFacts

from ..results.means import MeanRow
from ._numbers import interval, number
from ._summary import SpeakerMeans
from ._svg import Picture, Scale, value_axis

MOST_ROWS = 40
_WIDTH, _ROW, _TOP = 860.0, 24.0, 10.0


def dot_plot(
    metric: MetricFacts,
    cells: Sequence[str],
    speakers: SpeakerMeans,
    means: Mapping[tuple[str, str], MeanRow],
) -> str | None:
    """SVG with one row a cell, at most :data:`MOST_ROWS`; None if no cell has the metric."""
    shown = [cell for cell in cells if (cell, metric.name) in means][:MOST_ROWS]
    if not shown:
        return None
    left = 16 + min(320.0, 7.0 * max(len(cell) for cell in shown))
    bottom = _TOP + _ROW * len(shown)
    values = [v for cell in shown for v in speakers[cell, metric.name].values()]
    edges = [
        edge
        for cell in shown
        for edge in (means[cell, metric.name].low, means[cell, metric.name].high)
        if edge is not None
    ]
    scale = Scale.over([*values, *edges], left, _WIDTH - 16)
    title = f"{metric.title} by speaker"
    picture = Picture(_WIDTH, bottom + 46, title, _described(metric, shown, means))
    unit = f" in {metric.unit}" if metric.unit else ""
    better = f" ({metric.better} is better)" if metric.better else ""
    value_axis(picture, scale, _TOP, bottom, f"{metric.title}{unit}{better}")
    for row, cell in enumerate(shown):
        y = _TOP + _ROW * (row + 0.5)
        picture.text(left - 10, y + 4, _shortened(cell), "label end")
        for speaker, value in speakers[cell, metric.name].items():
            tip = f"{cell}, speaker {speaker}: {number(value, metric.digits)}"
            picture.mark(scale(value), y, "dot", tip)
        _mean(picture, scale, y, cell, metric, means[cell, metric.name])
    return picture.markup()


def _mean(
    picture: Picture, scale: Scale, y: float, cell: str, metric: MetricFacts, mean: MeanRow
) -> None:
    if mean.low is not None and mean.high is not None:
        picture.line(scale(mean.low), y, scale(mean.high), y, "interval")
    text = number(mean.mean, metric.digits)
    bounds = interval(mean.low, mean.high, metric.digits)
    tip = f"{cell}: mean {text} {bounds}, {mean.speakers} speakers"
    picture.mark(scale(mean.mean or 0.0), y, "mean", tip, "diamond")


def _described(
    metric: MetricFacts, cells: Sequence[str], means: Mapping[tuple[str, str], MeanRow]
) -> str:
    found = [f"{cell} {number(means[cell, metric.name].mean, metric.digits)}" for cell in cells]
    return "Means over speakers: " + "; ".join(found)


def _shortened(cell: str, most: int = 44) -> str:
    return cell if len(cell) <= most else cell[: most - 1] + "…"
