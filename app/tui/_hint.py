"""One line about the chosen param; below it, a value is typed."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Input

from voicegraph.schemas.live_status import LiveParam

from ._panel import Panel
from ._param_steps import about
from ._text_lines import Line
from ._view import View


class Hint(Panel):
    """What the chosen param does.

    Args:
        view: what it looks at.
        chosen: which one that is.
    """

    def __init__(self, view: View, chosen: Callable[[], LiveParam | None]) -> None:
        super().__init__(view)
        self._chosen = chosen

    def lines(self, width: int, height: int) -> list[Line]:
        """One line."""
        param = self._chosen()
        return [[(f" {about(param)}", "muted")]] if param is not None else []


class Entry(Input):
    """Where a value is typed: Enter sets it, Escape leaves it.

    Attributes:
        param: whose value it is.
    """

    def __init__(self) -> None:
        # A cursor that blinks would wake the screen for nothing.
        super().__init__(
            compact=True,
            select_on_focus=False,
            placeholder="type a value: Enter sets it, Escape leaves it",
        )
        self.cursor_blink = False
        self.param: LiveParam | None = None
        self.display = False

    def open(self, param: LiveParam, begun: str) -> None:
        """Begins with what has been typed already."""
        self.param = param
        self.value = begun
        self.cursor_position = len(begun)
        self.display = True
        self.focus()

    def close(self) -> None:
        """Gone, until the next."""
        self.display = False
        self.param = None
