"""All keys, on a page over the screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS = (
    ("up down", "choose a row"),
    ("left right", "change the chosen param; with Shift ten steps"),
    ("0-9 + - .", "type a value; Enter sets it, Escape leaves it"),
    ("Enter", "type a value of any kind"),
    ("Tab", "go to the other list"),
    ("b", "switch the chosen node (or the param's) off, and on again"),
    ("t", "talk, and be silent again (sessions with push-to-talk)"),
    ("m", "mute the output, and go on"),
    ("d", "hear the dry input beside the output, or not"),
    ("v", "hear the other variant"),
    ("?", "this page; any key leaves it"),
    ("q Ctrl-C", "stop the session; Ctrl-C again leaves the screen at once"),
)
_BARS = """\
Meters: bright up to the rms, dark up to the peak, of full scale.
Load: bright up to the median, dark up to the 99th percentile, of a block."""


class Help(ModalScreen[None]):
    """What keys do."""

    CSS = """
    Help { align: center middle; }
    Help VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        padding: 1 2; background: #1b232d; color: #e6ebf1;
    }
    """

    def compose(self) -> ComposeResult:
        """The page."""
        lines = [f"{keys:<11} {does}" for keys, does in KEYS]
        with VerticalScroll():
            yield Static("\n".join([*lines, "", _BARS]), markup=False)

    def on_key(self, event: Key) -> None:
        """Any key leaves it; those that scroll do that."""
        if event.key not in ("up", "down", "pageup", "pagedown", "home", "end"):
            event.stop()
            self.dismiss()
