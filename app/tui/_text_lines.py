"""Lines of a screen before any library draws them: pieces of text, each in a tone.

A tone is words: ``"bold"``, a colour of the table below, and ``"on"`` before the colour behind it,
such as ``"bold late on chosen"``. An empty one is plain text.
"""

from __future__ import annotations

Piece = tuple[str, str]
"""Text and tone."""
Line = list[Piece]

COLOURS = {
    "page": "#0f141a",
    "band": "#1b232d",
    "chosen": "#2b3a4d",
    "track": "#202933",
    "text": "#e6ebf1",
    "muted": "#9eabba",
    "accent": "#ff9a5c",
    "good": "#4fc78e",
    "good-far": "#2a6b4e",
    "warn": "#efb65d",
    "warn-far": "#80622f",
    "bad": "#ff6b6b",
    "bad-far": "#8a3a3e",
    "knob": "#6fa9ff",
    "knob-far": "#3b5f94",
}
"""``...-far`` is the darker one behind: a peak behind its mean, a p99 behind its median."""


def length(line: Line) -> int:
    """Characters."""
    return sum(len(text) for text, _ in line)


def plain(line: Line) -> str:
    """The text alone."""
    return "".join(text for text, _ in line)


def over(line: Line, behind: str) -> Line:
    """The line with another colour behind it where it has none of its own."""
    return [(text, tone if " on " in f" {tone}" else f"{tone} on {behind}") for text, tone in line]


def apart(left: Line, right: Line, width: int) -> Line:
    """One to the left and one to the right; what does not fit is cut off at the right."""
    least = 2 if right else 0
    return [*left, (" " * max(width - length(left) - length(right), least), ""), *right]


def spread(parts: list[Line], width: int) -> Line:
    """Parts with as much room between them as there is, from 1 to 3 columns."""
    text = sum(length(part) for part in parts)
    gap = min(max((width - text) // max(len(parts) - 1, 1), 1), 3)
    line: Line = []
    for part in parts:
        line += [*([(" " * gap, "")] if line else []), *part]
    return line
