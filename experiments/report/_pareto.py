"""Quality against cost, with the Pareto front: what no other cell beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicegraph.schemas.experiment_manifest import MetricFacts

from ._numbers import number
from ._svg import SHAPES, Picture, Scale, key_mark, value_axis

_WIDTH, _HEIGHT, _LEFT, _TOP = 620.0, 400.0, 70.0, 16.0
_COLOURS = 6


@dataclass(frozen=True, slots=True)
class Point:
    """A cell in the picture.

    Attributes:
        cell: its name.
        cost: horizontal, less is better.
        value: of the metric.
        low: 95 % interval of the value, if it has one.
        high: 95 % interval.
        series: the level by which it is coloured.
    """

    cell: str
    cost: float
    value: float
    low: float | None
    high: float | None
    series: str


def front(points: Sequence[Point], better: str) -> Sequence[Point]:
    """The points that no other one beats in one respect without being worse in the other.

    Returns:
        From the cheapest to the dearest.
    """
    sign = 1.0 if better == "higher" else -1.0
    best = float("-inf")
    found = []
    for point in sorted(points, key=lambda p: (p.cost, -sign * p.value)):
        if sign * point.value > best:
            best = sign * point.value
            found.append(point)
    return found


def pareto_plot(metric: MetricFacts, points: Sequence[Point], cost_title: str) -> str:
    """SVG of the points; those of the front are joined and named."""
    best = front(points, metric.better or "higher")
    named = ", ".join(point.cell for point in best)
    title = f"{metric.title} against {cost_title}"
    picture = Picture(_WIDTH, _HEIGHT + 46, title, f"Best at their cost: {named}")
    across = Scale.over([p.cost for p in points], _LEFT, _WIDTH - 20)
    edges = [e for p in points for e in (p.value, p.low, p.high) if e is not None]
    up = Scale.over(edges, _HEIGHT, _TOP)
    value_axis(picture, across, _TOP, _HEIGHT, cost_title)
    for value, text in up.ticks():
        picture.line(_LEFT, up(value), _WIDTH - 20, up(value), "grid")
        picture.text(_LEFT - 8, up(value) + 4, text, "tick end")
    picture.path([(across(p.cost), up(p.value)) for p in best], "front")
    styles = _styles([p.series for p in points])
    for point in points:
        x, y = across(point.cost), up(point.value)
        if point.low is not None and point.high is not None:
            picture.line(x, up(point.low), x, up(point.high), "whisker")
        style, shape = styles[point.series]
        tip = f"{point.cell}: {number(point.value, metric.digits)} at {number(point.cost, 2)}"
        picture.mark(x, y, style, tip, shape)
    return picture.markup()


def legend(series: Sequence[str]) -> Sequence[tuple[str, str]]:
    """(level, markup of its mark) for each level of the coloured factor."""
    return [(name, key_mark(*style)) for name, style in _styles(series).items()]


def _styles(series: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """A colour and a shape for each level; the shape says what the colour says."""
    names = list(dict.fromkeys(series))
    return {
        name: (f"series s{number % _COLOURS}", SHAPES[number % len(SHAPES)])
        for number, name in enumerate(names)
    }
