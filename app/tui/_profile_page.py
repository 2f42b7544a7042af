"""The page of the screen on which a profile of the pipeline is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from ._formatting import one_line

_NONE = "no profile"


class ProfilePage(ModalScreen[int | None]):
    """All profiles, with those in force marked; Enter chooses one.

    Its result is the number of the profile; -1 for no profile, None if nothing was chosen.

    Args:
        profiles: names of the profiles that the pipeline offers.
        active: names of those in force.
    """

    CSS = """
    ProfilePage { align: center middle; }
    ProfilePage Static, ProfilePage OptionList {
        width: 60; max-width: 100%; padding: 0 2; background: #1b232d; color: #e6ebf1;
    }
    ProfilePage OptionList { height: auto; max-height: 80%; border: none; }
    """
    BINDINGS = [Binding("p,escape", "dismiss", "Cancel")]

    def __init__(self, profiles: Sequence[str], active: Sequence[str]) -> None:
        super().__init__()
        self._profiles, self._active = tuple(profiles), frozenset(active)

    def compose(self) -> ComposeResult:
        """The list, headed by what its keys do."""
        yield Static("Profile: Enter switches to it, Escape cancels", markup=False)
        marks = [not self._active, *(name in self._active for name in self._profiles)]
        names = [_NONE, *(one_line(name) for name in self._profiles)]
        yield OptionList(
            *(Text(f"{'●' if on else ' '} {name}") for on, name in zip(marks, names, strict=True))
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Returns the choice."""
        event.stop()
        self.dismiss(event.option_index - 1)
