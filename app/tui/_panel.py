"""A part of the screen that draws lines, and of them only those that have changed."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ._text_lines import COLOURS, Line
from ._view import View


class Panel(Widget):
    """Base of the parts.

    Args:
        view: what it looks at.
    """

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view
        self._drawn: list[Line] = []

    def lines(self, width: int, height: int) -> list[Line]:
        """What it shows now, at most ``height`` lines; the rest stays empty."""
        raise NotImplementedError

    def draw(self) -> None:
        """Looks again. Costs little where nothing has changed."""
        width, height = self.size
        before, now = self._drawn, self.lines(width, height)[:height]
        self._drawn = now
        changed = [
            Region(0, y, width, 1)
            for y in range(max(len(before), len(now)))
            if before[y : y + 1] != now[y : y + 1]
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """One line, as Textual wants it."""
        line = self._drawn[y] if y < len(self._drawn) else []
        strip = Strip([Segment(text, style(tone)) for text, tone in line])
        return strip.adjust_cell_length(self.size.width, style(""))

    def on_resize(self, event: Resize) -> None:
        """Another size, other lines."""
        self.draw()


@lru_cache(maxsize=256)
def style(tone: str) -> Style:
    """The style of a tone; plain text on the page where it says nothing else."""
    front, _, behind = f" {tone} ".partition(" on ")
    words = [COLOURS.get(word, word) for word in front.split()]
    if not any(word.startswith("#") for word in words):
        words.append(COLOURS["text"])
    return Style.parse(" ".join([*words, "on", COLOURS[behind.strip() or "page"]]))
