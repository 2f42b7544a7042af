"""Quality against cost, with Pareto fronts: what no other cell beats in both.

Cells under other conditions, or with another target, are no alternatives: in noise everything is
worse. So each condition and target has a front of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicegraph.schemas.experiment_manifest import MetricFacts

from ._numbers import number
from ._svg import SHAPES, Picture, Scale, key_mark, value_axis

_WIDTH, _HEIGHT, _LEFT, _TOP = 620.0, 400.0, 70.0, 16.0
_COLOURS = 6
_NAME, _LINE = 90.0, 16.0
"""Room for the name of a front: its width, and the height of a line."""


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
        group: condition and target as text; empty if all cells have the same.
    """

    cell: str
    cost: float
    value: float
    low: float | None
    high: float | None
    series: str
    group: str = ""


def fronts(points: Sequence[Point], better: str) -> Mapping[str, Sequence[Point]]:
    """The front of each group, by its name, in the order of the points."""
    groups = dict.fromkeys(point.group for point in points)
    return {
        group: front([point for point in points if point.group == group], better)
        for group in groups
    }


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


def pareto_plot(
    metric: MetricFacts, points: Sequence[Point], cost_title: str, series: Sequence[str] = ()
) -> str:
    """SVG of the points; those of a front are joined and named.

    Args:
        metric: upwards.
        points: the cells.
        cost_title: of the axis to the right.
        series: all levels in the order of the legend, which says what a colour and a shape mean;
            by default those of the points.
    """
    best = fronts(points, metric.better or "higher")
    named = ", ".join(point.cell for found in best.values() for point in found)
    title = f"{metric.title} against {cost_title}"
    picture = Picture(_WIDTH, _HEIGHT + 46, title, f"Best at their cost: {named}")
    across = Scale.over([p.cost for p in points], _LEFT, _WIDTH - 20)
    edges = [e for p in points for e in (p.value, p.low, p.high) if e is not None]
    up = Scale.over(edges, _HEIGHT, _TOP)
    value_axis(picture, across, _TOP, _HEIGHT, cost_title)
    for value, text in up.ticks():
        picture.line(_LEFT, up(value), _WIDTH - 20, up(value), "grid")
        picture.text(_LEFT - 8, up(value) + 4, text, "tick end")
    for found in best.values():
        picture.path([(across(point.cost), up(point.value)) for point in found], "front")
    styles = _styles([*series, *(p.series for p in points)])
    for point in points:
        x, y = across(point.cost), up(point.value)
        if point.low is not None and point.high is not None:
            picture.line(x, up(point.low), x, up(point.high), "whisker")
        style, shape = styles[point.series]
        tip = f"{point.cell}: {number(point.value, metric.digits)} at {number(point.cost, 2)}"
        picture.mark(x, y, style, tip, shape)
    ends = {group: (across(found[-1].cost), up(found[-1].value)) for group, found in best.items()}
    _name_fronts(picture, ends)
    return picture.markup()


def _name_fronts(picture: Picture, ends: Mapping[str, tuple[float, float]]) -> None:
    """The name of each front at its dearest point, on the side with more room; none on another."""
    lines: list[tuple[float, float]] = []
    for group, (x, y) in sorted(ends.items(), key=lambda end: -end[1][1]):
        y -= 8
        while any(abs(x - left) < _NAME and abs(y - base) < _LINE for left, base in lines):
            y -= _LINE / 4
        lines.append((x, y))
        if x < (_LEFT + _WIDTH) / 2:
            picture.text(x + 9, y, group, "tick")
        else:
            picture.text(x - 9, y, group, "tick end")


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
