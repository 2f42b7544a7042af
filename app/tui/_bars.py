"""Horizontal bars of an eighth of a column's resolution."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from ._text_lines import Line

_PARTS = " ▏▎▍▌▋▊▉"
_STEPS = 8

Zones = Callable[[float], str]
"""Place on the bar, 0..1, to the colour there."""


def bar(width: int, near: float, far: float, zones: Zones, mark: float | None = None) -> Line:
    """A bar that is full up to ``near``, darker up to ``far``, with a mark on it.

    Args:
        width: columns.
        near: 0..1; beyond that it ends at the rim.
        far: likewise; a value below ``near`` is not seen.
        zones: its colours.
        mark: where a thin line stands, 0..1.
    """
    first, second = _eighths(near, width), _eighths(far, width)
    place = None if mark is None else min(int(_inside(mark) * width), width - 1)
    line: Line = []
    for i in range(width):
        colour = zones((i + 0.5) / width)
        a = min(max(first - _STEPS * i, 0), _STEPS)
        b = min(max(second - _STEPS * i, 0), _STEPS)
        text, tone = _cell(a, b, colour)
        if i == place and a < _STEPS:
            text, tone = "│", f"{colour} on {f'{colour}-far' if b == _STEPS else 'track'}"
        if line and line[-1][1] == tone:
            line[-1] = (line[-1][0] + text, tone)
        else:
            line.append((text, tone))
    return line


def _cell(near: int, far: int, colour: str) -> tuple[str, str]:
    """One column: it has two colours, so of three only the nearer two are shown.

    A full one is the colour behind a space: glyphs of some fonts leave gaps.
    """
    if near == _STEPS:
        return " ", f"on {colour}"
    if near:
        return _PARTS[near], f"{colour} on {f'{colour}-far' if far > near else 'track'}"
    if far == _STEPS:
        return " ", f"on {colour}-far"
    return _PARTS[far], f"{colour}-far on track" if far else "on track"


def _eighths(part: float, width: int) -> int:
    return round(_inside(part) * width * _STEPS)


def _inside(part: float) -> float:
    return min(max(part, 0.0), 1.0) if isfinite(part) else 0.0
