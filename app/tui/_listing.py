"""A list with one chosen row, which is scrolled into sight."""

from __future__ import annotations

from textual.binding import Binding
from textual.message import Message

from ._panel import Panel
from ._text_lines import Line, apart, over
from ._view import View


class Listing(Panel, can_focus=True):
    """Base of the two lists. The choice is kept by name: rows come, go and change places.

    Attributes:
        chosen: the name of the chosen row; None while there is no row.
    """

    class Chosen(Message):
        """Another row is chosen, or the list is where keys act now."""

    BINDINGS = [
        Binding("up", "choose(-1)", "Up"),
        Binding("down", "choose(1)", "Down"),
        Binding("pageup", "choose(-8)", "Page up"),
        Binding("pagedown", "choose(8)", "Page down"),
        Binding("home", "choose(-9999)", "First"),
        Binding("end", "choose(9999)", "Last"),
    ]

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._at = 0
        self._first = 0
        self._names: list[str] = []
        self.look_at(self.rows(40))

    def rows(self, width: int) -> list[tuple[str, Line]]:
        """Name and row of all that is in the list."""
        raise NotImplementedError

    def title(self, width: int) -> Line:
        """The line above them."""
        raise NotImplementedError

    @property
    def chosen(self) -> str | None:
        """The name of the chosen row."""
        return self._names[self._at] if self._names else None

    def look_at(self, rows: list[tuple[str, Line]]) -> None:
        """Follows the chosen row to where it is now; if it is gone, its place stays chosen."""
        before, self._names = self.chosen, [name for name, _ in rows]
        if before in self._names:
            self._at = self._names.index(before)
        self._at = min(self._at, max(len(self._names) - 1, 0))

    def action_choose(self, by: int) -> None:
        """Goes up or down."""
        self._at = min(max(self._at + by, 0), max(len(self._names) - 1, 0))
        self.draw()
        self.post_message(self.Chosen())

    def lines(self, width: int, height: int) -> list[Line]:
        """Title and the rows that fit."""
        rows = self.rows(width)
        self.look_at(rows)
        room = max(height - 1, 0)
        self._first = min(self._first, max(len(rows) - room, 0))
        self._first = min(max(self._first, self._at - room + 1), self._at)
        shown = rows[self._first : self._first + room]
        title = over(self.title(width), "chosen" if self.has_focus else "band")
        lit = [self._lit(i, row, width) for i, (_, row) in enumerate(shown, self._first)]
        return [title, *lit]

    def on_focus(self) -> None:
        """The chosen row is lit where keys act."""
        self.draw()
        self.post_message(self.Chosen())

    def on_blur(self) -> None:
        """No longer."""
        self.draw()

    def _lit(self, i: int, row: Line, width: int) -> Line:
        if i != self._at:
            return row
        (head, tone), *rest = apart(row, [], width)
        mark = "▸" if self.has_focus else head[:1]
        lit = [(mark + head[1:], f"bold {tone}".strip()), *rest]
        return over(lit, "chosen" if self.has_focus else "band")
