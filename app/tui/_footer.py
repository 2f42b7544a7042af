"""The lower part of the screen: messages, the key bar, and the help page with all keys."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from ._panel import Panel
from ._text_lines import Line, with_background

_KEY_BAR = (
    ("t", "talk"),
    ("m", "mute"),
    ("d", "dry"),
    ("v", "variant"),
    ("b", "bypass"),
    ("p", "profile"),
    ("o", "voice"),
    ("r", "record"),
    ("k", "mark"),
    ("Tab", "list"),
    ("?", "help"),
    ("q", "stop"),
)
_DROPPED = ("k", "Tab", "o", "p", "b", "v", "d", "r")
"""Keys that a narrow screen leaves out, the first ones first; the help page has them all."""
_ALL_KEYS = (
    ("up down", "select a row"),
    ("left right", "change the selected param; with Shift ten steps"),
    ("0-9 + - .", "type a number; Enter sets it, Escape cancels"),
    ("Enter", "type a value of any kind"),
    ("Tab", "switch to the other list"),
    ("b", "bypass on or off: the selected node, or the param's node"),
    ("p", "switch to a profile of the pipeline"),
    ("t", "press or release the talk key (with push-to-talk)"),
    ("m", "mute or unmute the output"),
    ("d", "monitor: add the dry input to the output, or remove it"),
    ("v", "switch between the variants a and b"),
    ("o", "change to another voice of the library"),
    ("r", "begin a take (a recording that replays bit for bit), or end it"),
    ("k", "put a mark into the recording"),
    ("?", "show this page; any key closes it"),
    ("q Ctrl-C", "stop the session; Ctrl-C again leaves the screen at once"),
)
_LEGEND = """\
Meters: bright up to the rms, dark up to the peak, of full scale.
Load: bright up to the median, dark up to the 99th percentile, of a block.
Overrun: a block was late. Column late: overruns caused by that node.
Underrun, overflow: the device lost audio.
Health: everything that went wrong so far, worst first."""


class MessagePanel(Panel):
    """Advice and the newest messages."""

    def lines(self, width: int, height: int) -> list[Line]:
        """Implements :meth:`.Panel.lines`."""
        return self.state.log.lines(self.state.status.advice, width, height)


class KeyBar(Panel):
    """The most important keys; those without effect in this session are left out."""

    def lines(self, width: int, height: int) -> list[Line]:
        """Implements :meth:`.Panel.lines`."""
        status = self.state.status
        hidden = set()
        if not status.push_to_talk:
            hidden.add("t")
        if status.variant is None:
            hidden.add("v")
        if not status.profiles:
            hidden.add("p")
        if status.voice is None:
            hidden.add("o")
        if status.recording is None:
            hidden.add("k")
        shown = _fitting([entry for entry in _KEY_BAR if entry[0] not in hidden], width)
        line: Line = []
        for key, action in shown:
            line += [(f" {key} ", "bold accent"), (f"{action} ", "muted")]
        return [with_background([*line, (" " * width, "")], "band")]


def _fitting(keys: list[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """The keys for which there is room; help and stop always stay."""
    for dropped in _DROPPED:
        if sum(len(key) + len(action) + 3 for key, action in keys) <= width:
            break
        keys = [entry for entry in keys if entry[0] != dropped]
    return keys


class HelpPage(ModalScreen[None]):
    """All keys, and what the bars and counters mean."""

    CSS = """
    HelpPage { align: center middle; }
    HelpPage VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        padding: 1 2; background: #1b232d; color: #e6ebf1;
    }
    """

    def compose(self) -> ComposeResult:
        """The text, scrollable where the terminal is too small for it."""
        lines = [f"{keys:<11} {action}" for keys, action in _ALL_KEYS]
        with VerticalScroll():
            yield Static("\n".join([*lines, "", _LEGEND]), markup=False)

    def on_key(self, event: Key) -> None:
        """Closes the page, unless the key scrolls it."""
        if event.key not in ("up", "down", "pageup", "pagedown", "home", "end"):
            event.stop()
            self.dismiss()
