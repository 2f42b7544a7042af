"""Base classes of the parts of the screen, and the state that they show."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.events import Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.live_status import LiveStatus

from ._messages import MessageLog
from ._meters import PeakHold
from ._text_lines import COLOURS, Line, justify, with_background


class ScreenState:
    """What the screen shows: the newest status, and what the screen itself remembers.

    Args:
        status: the first status.

    Attributes:
        status: the newest status.
        stopping: whether the session was asked to stop.
        input_hold: peak hold of the input's meter.
        output_hold: peak hold of the output's meter.
        log: messages of the session and of the screen.
        pending: param or switch -> the value of the newest command that has no answer yet. The
            next key press starts from this value.
    """

    def __init__(self, status: LiveStatus) -> None:
        self.stopping = False
        self.input_hold, self.output_hold = PeakHold(), PeakHold()
        self.log = MessageLog()
        self.pending: dict[str, Any] = {}
        self.update(status)

    def update(self, status: LiveStatus) -> None:
        """Takes the newest status."""
        self.status = status
        self.input_hold.update(status.seconds, status.input)
        self.output_hold.update(status.seconds, status.output)
        self.log.update(status.messages)


class Panel(Widget):
    """A part of the screen that consists of lines; only changed lines are drawn again.

    Args:
        state: what to show.
    """

    def __init__(self, state: ScreenState) -> None:
        super().__init__()
        self.state = state
        self._drawn: list[Line] = []

    def lines(self, width: int, height: int) -> list[Line]:
        """The lines to show now, at most ``height``; the rest of the panel stays empty."""
        raise NotImplementedError

    def draw(self) -> None:
        """Compares the lines with those on the screen, and refreshes those that changed."""
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
        """One line as Textual draws it."""
        line = self._drawn[y] if y < len(self._drawn) else []
        strip = Strip([Segment(printable(text), _rich_style(tone)) for text, tone in line])
        return strip.adjust_cell_length(self.size.width, _rich_style(""))

    def on_resize(self, event: Resize) -> None:
        """Draws the lines for the new size."""
        self.draw()


@lru_cache(maxsize=256)
def _rich_style(tone: str) -> Style:
    front, _, behind = f" {tone} ".partition(" on ")
    words = [COLOURS.get(word, word) for word in front.split()]
    if not any(word.startswith("#") for word in words):
        words.append(COLOURS["text"])
    return Style.parse(" ".join([*words, "on", COLOURS[behind.strip() or "page"]]))


class SelectableList(Panel, can_focus=True):
    """Base of the two lists: one row is selected and scrolled into view.

    The selection follows a row by its name: rows come, go and change places.
    """

    class SelectionChanged(Message):
        """Another row was selected, or the list received the focus."""

    BINDINGS = [
        Binding("up", "select(-1)", "Up"),
        Binding("down", "select(1)", "Down"),
        Binding("pageup", "select(-8)", "Page up"),
        Binding("pagedown", "select(8)", "Page down"),
        Binding("home", "select(-9999)", "First"),
        Binding("end", "select(9999)", "Last"),
    ]

    def __init__(self, state: ScreenState) -> None:
        super().__init__(state)
        self._at = 0
        self._first = 0
        self._names: list[str] = []
        self._keep_selection(self.rows(40))

    def rows(self, width: int) -> list[tuple[str, Line]]:
        """Name and line of every row."""
        raise NotImplementedError

    def title(self, width: int) -> Line:
        """The line above the rows."""
        raise NotImplementedError

    @property
    def selected(self) -> str | None:
        """The name of the selected row; None if the list is empty."""
        return self._names[self._at] if self._names else None

    def action_select(self, by: int) -> None:
        """Moves the selection by a number of rows."""
        self._at = min(max(self._at + by, 0), max(len(self._names) - 1, 0))
        self.draw()
        self.post_message(self.SelectionChanged())

    def lines(self, width: int, height: int) -> list[Line]:
        """The title, and the rows that fit."""
        rows = self.rows(width)
        self._keep_selection(rows)
        room = max(height - 1, 0)
        self._first = min(self._first, max(len(rows) - room, 0))
        self._first = min(max(self._first, self._at - room + 1), self._at)
        shown = rows[self._first : self._first + room]
        title = with_background(self.title(width), "selected" if self.has_focus else "band")
        visible = [
            self._highlighted(i, row, width) for i, (_, row) in enumerate(shown, self._first)
        ]
        return [title, *visible]

    def on_focus(self) -> None:
        """Highlights the selected row."""
        self.draw()
        self.post_message(self.SelectionChanged())

    def on_blur(self) -> None:
        """Dims the selected row."""
        self.draw()

    def _keep_selection(self, rows: list[tuple[str, Line]]) -> None:
        """Finds the selected row by its name. If it is gone, the row in its place is selected."""
        before, self._names = self.selected, [name for name, _ in rows]
        if before in self._names:
            self._at = self._names.index(before)
        self._at = min(self._at, max(len(self._names) - 1, 0))

    def _highlighted(self, i: int, row: Line, width: int) -> Line:
        if i != self._at:
            return row
        (head, tone), *rest = justify(row, [], width)
        mark = "▸" if self.has_focus else head[:1]
        line = [(mark + head[1:], f"bold {tone}".strip()), *rest]
        return with_background(line, "selected" if self.has_focus else "band")
