"""Styled text lines and horizontal bars, independent of any terminal library.

A style is a string of words: ``"bold"``, a colour of the table below, and ``"on"`` before the
background colour, for example ``"bold bad on selected"``. An empty style is plain text.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

Piece = tuple[str, str]
"""Text and style."""
Line = list[Piece]

COLOURS = {
    "page": "#0f141a",
    "band": "#1b232d",
    "selected": "#2b3a4d",
    "track": "#202933",
    "text": "#e6ebf1",
    "muted": "#9eabba",
    "accent": "#ff9a5c",
    "good": "#4fc78e",
    "good-dark": "#2a6b4e",
    "warn": "#efb65d",
    "warn-dark": "#80622f",
    "bad": "#ff6b6b",
    "bad-dark": "#8a3a3e",
    "knob": "#6fa9ff",
    "knob-dark": "#3b5f94",
}
"""A bar shows its second value in ``...-dark``: peak beyond rms, p99 beyond median."""

_EIGHTHS = " ▏▎▍▌▋▊▉"
_STEPS = 8

ColourAt = Callable[[float], str]
"""Position on the bar, 0..1 -> the colour there."""


def length(line: Line) -> int:
    """Number of characters."""
    return sum(len(text) for text, _ in line)


def with_background(line: Line, colour: str) -> Line:
    """The line with a background colour; pieces that have a background keep theirs."""
    return [(text, tone if " on " in f" {tone}" else f"{tone} on {colour}") for text, tone in line]


def justify(left: Line, right: Line, width: int) -> Line:
    """Aligns one part to the left and one to the right. The screen cuts off what is too long."""
    least = 2 if right else 0
    return [*left, (" " * max(width - length(left) - length(right), least), ""), *right]


def distribute(parts: list[Line], width: int) -> Line:
    """Joins parts with equal gaps of 1 to 3 columns, as wide as the width allows."""
    text = sum(length(part) for part in parts)
    gap = min(max((width - text) // max(len(parts) - 1, 1), 1), 3)
    line: Line = []
    for part in parts:
        line += [*([(" " * gap, "")] if line else []), *part]
    return line


def bar(
    width: int, bright: float, dark: float, colour_at: ColourAt, marker: float | None = None
) -> Line:
    """A bar for two values, with a resolution of an eighth of a column.

    Args:
        width: columns.
        bright: 0..1: the bar is bright from 0 to here. Values outside are clamped; NaN is 0.
        dark: 0..1: the bar is dark from ``bright`` to here; below ``bright`` it is not visible.
        colour_at: the colours along the bar.
        marker: 0..1: position of a thin line, such as a peak hold.
    """
    first, second = _eighths(bright, width), _eighths(dark, width)
    marked = None if marker is None else min(int(_clamped(marker) * width), width - 1)
    line: Line = []
    for i in range(width):
        colour = colour_at((i + 0.5) / width)
        a = min(max(first - _STEPS * i, 0), _STEPS)
        b = min(max(second - _STEPS * i, 0), _STEPS)
        text, tone = _cell(a, b, colour)
        if i == marked and a < _STEPS:
            text, tone = "│", f"{colour} on {f'{colour}-dark' if b == _STEPS else 'track'}"
        if line and line[-1][1] == tone:
            line[-1] = (line[-1][0] + text, tone)
        else:
            line.append((text, tone))
    return line


def _cell(bright: int, dark: int, colour: str) -> tuple[str, str]:
    """One column. A cell has two colours: where three meet, the track is left out.

    A full cell is a space with a background: in some fonts, full block glyphs leave gaps.
    """
    if bright == _STEPS:
        return " ", f"on {colour}"
    if bright:
        return _EIGHTHS[bright], f"{colour} on {f'{colour}-dark' if dark > bright else 'track'}"
    if dark == _STEPS:
        return " ", f"on {colour}-dark"
    return _EIGHTHS[dark], f"{colour}-dark on track" if dark else "on track"


def _eighths(part: float, width: int) -> int:
    return round(_clamped(part) * width * _STEPS)


def _clamped(part: float) -> float:
    return min(max(part, 0.0), 1.0) if isfinite(part) else 0.0
