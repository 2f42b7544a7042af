"""The page of the screen on which a profile or a voice is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from ._formatting import one_line


class ChoicePage(ModalScreen[int | None]):
    """A list in which what is in force is marked; Enter chooses an entry.

    Its result is the number of the entry from 0 on; None if nothing was chosen.

    Args:
        heading: what is chosen.
        entries: the entries.
        marked: which of them are in force.
        key: closes the page, as Escape does.
    """

    CSS = """
    ChoicePage { align: center middle; }
    ChoicePage Static, ChoicePage OptionList {
        width: 60; max-width: 100%; padding: 0 2; background: #1b232d; color: #e6ebf1;
    }
    ChoicePage OptionList { height: auto; max-height: 80%; border: none; }
    """
    BINDINGS = [Binding("escape", "dismiss", "Cancel")]

    def __init__(
        self, heading: str, entries: Sequence[str], marked: Sequence[bool], key: str
    ) -> None:
        super().__init__()
        self._heading = heading
        self._entries, self._marked = tuple(entries), tuple(marked)
        self._bindings.bind(key, "dismiss")

    def compose(self) -> ComposeResult:
        """The list, headed by what its keys do."""
        yield Static(f"{self._heading}: Enter switches to it, Escape cancels", markup=False)
        rows = zip(self._marked, self._entries, strict=True)
        yield OptionList(*(Text(f"{'●' if on else ' '} {one_line(name)}") for on, name in rows))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Returns the choice."""
        event.stop()
        self.dismiss(event.option_index)
