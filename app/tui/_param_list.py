"""The list of live params with sliders and choices, the hint below it, and the value entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.binding import Binding
from textual.events import Key
from textual.message import Message
from textual.widgets import Input

from voicegraph.schemas.live_status import LiveParam

from ._panel import Panel, ScreenState, SelectableList
from ._param_steps import COARSE_STEPS, describe_param, format_value
from ._text_lines import Line, justify

_NAME = 24
_VALUE = 13
_STARTS_NUMBER = set("0123456789+-.")


class ParamList(SelectableList):
    """Live params; keys change the selected one."""

    class StepRequested(Message):
        """The selected param is to change by a number of steps."""

        def __init__(self, param: LiveParam, steps: int) -> None:
            super().__init__()
            self.param = param
            self.steps = steps

    class EntryRequested(Message):
        """A value of the selected param is to be typed; ``typed`` is its beginning."""

        def __init__(self, param: LiveParam, typed: str) -> None:
            super().__init__()
            self.param = param
            self.typed = typed

    BINDINGS = [
        Binding("left", "step(-1)", "Less"),
        Binding("right", "step(1)", "More"),
        Binding("shift+left", f"step({-COARSE_STEPS})", "Much less"),
        Binding("shift+right", f"step({COARSE_STEPS})", "Much more"),
        Binding("enter", "enter_value", "Type a value"),
    ]

    def rows(self, width: int) -> list[tuple[str, Line]]:
        """Implements :meth:`.SelectableList.rows`."""
        return param_rows(self.state.status.params, self.state.pending, width)

    def title(self, width: int) -> Line:
        """Implements :meth:`.SelectableList.title`."""
        if not self.state.status.params:
            return justify([(" no live params", "bold")], [], width)
        return justify([(" live params", "bold")], [("←→ change, ↵ type ", "muted")], width)

    @property
    def param(self) -> LiveParam | None:
        """The selected param; None if the list is empty."""
        params = self.state.status.params
        return next((param for param in params if param.name == self.selected), None)

    def action_step(self, steps: int) -> None:
        """Asks the screen to change the param by a number of steps."""
        if (param := self.param) is not None:
            self.post_message(self.StepRequested(param, steps))

    def action_enter_value(self) -> None:
        """Asks the screen to open the value entry."""
        self._request_entry("")

    def on_key(self, event: Key) -> None:
        """A digit, sign or point opens the value entry, too."""
        if event.character is not None and event.character in _STARTS_NUMBER:
            event.stop()
            self._request_entry(event.character)

    def _request_entry(self, typed: str) -> None:
        if (param := self.param) is not None:
            self.post_message(self.EntryRequested(param, typed))


class ParamHint(Panel):
    """One line about the selected param.

    Args:
        state: what the screen shows.
        selected: returns the selected param.
    """

    def __init__(self, state: ScreenState, selected: Callable[[], LiveParam | None]) -> None:
        super().__init__(state)
        self._selected = selected

    def lines(self, width: int, height: int) -> list[Line]:
        """Implements :meth:`.Panel.lines`."""
        param = self._selected()
        return [[(f" {describe_param(param)}", "muted")]] if param is not None else []


class ValueEntry(Input):
    """Where a value is typed: Enter sets it, Escape cancels.

    Attributes:
        param: the param to set; None while the entry is closed.
    """

    def __init__(self) -> None:
        super().__init__(
            compact=True,
            select_on_focus=False,
            placeholder="type a value: Enter sets it, Escape cancels",
        )
        self.cursor_blink = False  # each blink would wake the screen beside the engine
        self.param: LiveParam | None = None
        self.display = False

    def open(self, param: LiveParam, typed: str) -> None:
        """Shows the entry with the characters typed so far, and takes the focus."""
        self.param = param
        self.value = typed
        self.cursor_position = len(typed)
        self.display = True
        self.focus()

    def close(self) -> None:
        """Hides the entry."""
        self.display = False
        self.param = None


def param_rows(
    params: list[LiveParam], pending: Mapping[str, Any], width: int
) -> list[tuple[str, Line]]:
    """Name and row of every param.

    Args:
        params: in the order of the rows.
        pending: param -> requested value that is not confirmed yet, shown instead of its value.
        width: columns.
    """
    longest = min(max((len(param.name) for param in params), default=0), _NAME)
    return [(p.name, _row(p, pending.get(p.name, p.value), longest, width)) for p in params]


def _row(param: LiveParam, value: Any, longest: int, width: int) -> Line:
    name = f" {param.name[:_NAME]:<{longest}} "
    text = format_value(param, value)
    text = f"◂ {text} ▸" if param.choices else text
    room = max(width - len(name) - max(_VALUE, len(text)) - 2, 0)
    return [(name, ""), *_slider(param, value, room), (f" {text:>{_VALUE}} ", "bold")]


def _slider(param: LiveParam, value: Any, width: int) -> Line:
    low, high = param.minimum, param.maximum
    if low is None or high is None or high <= low or width < 3 or not _is_number(value):
        return [(" " * width, "")]
    place = round(min(max((value - low) / (high - low), 0), 1) * (width - 1))
    return [("━" * place, "knob"), ("●", "bold text"), ("─" * (width - 1 - place), "knob-dark")]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
