"""The list of live params, and the keys that change them."""

from __future__ import annotations

from textual.binding import Binding
from textual.events import Key
from textual.message import Message

from voicegraph.schemas.live_status import LiveParam

from ._listing import Listing
from ._param_rows import param_rows
from ._param_steps import COARSE
from ._text_lines import Line, apart

_BEGIN_NUMBERS = set("0123456789+-.")


class ParamList(Listing):
    """Sliders."""

    class Moved(Message):
        """The chosen param is to go so many steps up or down."""

        def __init__(self, param: LiveParam, steps: int) -> None:
            super().__init__()
            self.param = param
            self.steps = steps

    class Typed(Message):
        """The chosen param is to be typed; ``begun`` is what has been typed already."""

        def __init__(self, param: LiveParam, begun: str) -> None:
            super().__init__()
            self.param = param
            self.begun = begun

    BINDINGS = [
        Binding("left", "move(-1)", "Less"),
        Binding("right", "move(1)", "More"),
        Binding("shift+left", f"move({-COARSE})", "Much less"),
        Binding("shift+right", f"move({COARSE})", "Much more"),
        Binding("enter", "type", "Type a value"),
    ]

    def rows(self, width: int) -> list[tuple[str, Line]]:
        """One a param."""
        return param_rows(self.view.status.params, self.view.wanted, width)

    def title(self, width: int) -> Line:
        """The heading."""
        if not self.view.status.params:
            return apart([(" no live params", "bold")], [], width)
        return apart([(" live params", "bold")], [("←→ change, ↵ type ", "muted")], width)

    @property
    def param(self) -> LiveParam | None:
        """The chosen one."""
        params = self.view.status.params
        return next((param for param in params if param.name == self.chosen), None)

    def action_move(self, steps: int) -> None:
        """Left and right."""
        if (param := self.param) is not None:
            self.post_message(self.Moved(param, steps))

    def action_type(self) -> None:
        """Enter."""
        self._type("")

    def on_key(self, event: Key) -> None:
        """A number may simply be typed."""
        if event.character is not None and event.character in _BEGIN_NUMBERS:
            event.stop()
            self._type(event.character)

    def _type(self, begun: str) -> None:
        if (param := self.param) is not None:
            self.post_message(self.Typed(param, begun))
