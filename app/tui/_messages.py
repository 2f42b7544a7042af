"""The lower part: what is chosen, messages and advice, and which keys there are."""

from __future__ import annotations

from ._panel import Panel
from ._text_lines import Line, over

_KEYS = (
    ("t", "talk"),
    ("m", "mute"),
    ("d", "dry"),
    ("v", "variant"),
    ("b", "bypass"),
    ("Tab", "other list"),
    ("?", "help"),
    ("q", "stop"),
)


class Messages(Panel):
    """Messages and advice."""

    def lines(self, width: int, height: int) -> list[Line]:
        """The newest that fit."""
        return self.view.log.lines(self.view.status.advice, width, height)


class Keys(Panel):
    """The keys that do something in this session."""

    def lines(self, width: int, height: int) -> list[Line]:
        """One line."""
        status = self.view.status
        absent = set()
        if not status.push_to_talk:
            absent.add("t")
        if status.variant is None:
            absent.add("v")
        line: Line = []
        for key, does in _KEYS:
            if key not in absent:
                line += [(f" {key} ", "bold accent"), (f"{does} ", "muted")]
        return [over([*line, (" " * width, "")], "band")]
