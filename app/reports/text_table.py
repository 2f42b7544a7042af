"""Tables in plain text, for terminals, logs and code blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voicegraph.graph.terminal_text import printable, printable_lines

WIDTH = 110
"""Characters per line: two windows fit side by side on a wide screen."""

_GAP = "  "
_NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        title: its heading; a second line (a unit) after a line break.
        right: whether it is right-aligned, as numbers are.
        wraps: whether its text is wrapped before that of other columns if the table is too wide.
    """

    title: str
    right: bool = False
    wraps: bool = False


Row = Sequence[str] | str
"""Cells, or one text across all columns."""


def table(
    columns: Sequence[Column], rows: Sequence[Row], width: int = WIDTH, *, headings: bool = True
) -> list[str]:
    """The lines of a table, headings first; at most ``width`` wide if columns can wrap.

    A column without title and text is left out.
    """
    full = [i for i, c in enumerate(columns) if c.title or any(_cell(row, i) for row in rows)]
    columns = [replace(columns[i], title=printable_lines(columns[i].title)) for i in full]
    rows = [
        printable(row) if isinstance(row, str) else [printable(row[i]) for i in full]
        for row in rows
    ]
    cells = [list(row) for row in rows if not isinstance(row, str)]
    widths = _widths(columns, cells, width)
    lines: list[str] = []
    if headings:
        lines += _lay(columns, widths, [column.title.split("\n") for column in columns])
        lines.append(_GAP.join("-" * w for w in widths))
    for row in rows:
        if isinstance(row, str):
            lines.append(row)
        else:
            wrapped = [wrap(text, w) for text, w in zip(row, widths, strict=True)]
            lines += _lay(columns, widths, wrapped)
    return lines


def _cell(row: Row, i: int) -> str:
    return "" if isinstance(row, str) else row[i]


def _widths(columns: Sequence[Column], cells: list[list[str]], width: int) -> list[int]:
    """Widths of the texts; if the sum is too large, columns shrink that add the fewest lines."""
    widths = [
        max(len(text) for text in [*column.title.split("\n"), *(row[i] for row in cells)])
        for i, column in enumerate(columns)
    ]
    heights = [[1] * len(columns) for _ in cells]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        may = [i for i, c in enumerate(columns) if c.wraps and widths[i] > _NARROWEST]
        may = may or [i for i, c in enumerate(columns) if not c.right and widths[i] > _NARROWEST]
        if not may:
            break
        trials = {i: [len(wrap(row[i], widths[i] - 1)) for row in cells] for i in may}
        best = min(may, key=lambda i: (*_cost(heights, i, trials[i]), -widths[i]))
        widths[best] -= 1
        for row, lines in zip(heights, trials[best], strict=True):
            row[best] = lines
    return widths


def _cost(heights: list[list[int]], column: int, lines: list[int]) -> tuple[int, int]:
    """By how many lines the table, and the cells of one column, grow with these line counts."""
    rows = list(zip(heights, lines, strict=True))
    table_grows = sum(max(max(row), new) - max(row) for row, new in rows)
    return table_grows, sum(new - row[column] for row, new in rows)


def _lay(columns: Sequence[Column], widths: list[int], cells: Sequence[list[str]]) -> list[str]:
    """Formats one row, whose cells may have several lines."""
    height = max(len(lines) for lines in cells)
    made = []
    for i in range(height):
        texts = [lines[i] if i < len(lines) else "" for lines in cells]
        padded = [
            text.rjust(w) if column.right else text.ljust(w)
            for text, w, column in zip(texts, widths, columns, strict=True)
        ]
        made.append(_GAP.join(padded).rstrip())
    return made


def wrap(text: str, width: int) -> list[str]:
    """Wraps text after spaces, dots, slashes, dashes and underscores, else anywhere."""
    lines, line = [], ""
    for piece in re.findall(r"[^ ._/-]*[ ._/-]+|[^ ._/-]+", text):
        if line and len(line) + len(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
        while len(line.rstrip()) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def milliseconds(value: float) -> str:
    """Formats as ``12.5``, ``0.333``, ``-10``: at most three decimals, without a unit."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
