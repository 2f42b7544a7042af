"""Messages of a session: which are new in a status, and the newest as lines of the screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from textwrap import wrap

from ._formatting import one_line
from ._text_lines import Line

_KEPT = 50


class MessageDiff:
    """Finds the new messages: a status holds the newest few, whether or not they are new."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def update(self, messages: Sequence[str]) -> list[str]:
        """The messages that were not in the previous call, oldest first.

        Known messages are recognised by their order: the end of the previous list is the beginning
        of the new one.
        """
        now = list(messages)
        kept = min(len(self._known), len(now))
        while self._known[len(self._known) - kept :] != now[:kept]:
            kept -= 1
        self._known = now
        return now[kept:]


class MessageLog:
    """The newest messages of the session and of the screen, each with its style."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, str]] = deque(maxlen=_KEPT)
        self._diff = MessageDiff()

    def update(self, messages: Sequence[str]) -> None:
        """Adds the new messages of a status."""
        for text in self._diff.update(messages):
            self.add(text, "")

    def add(self, text: str, style: str) -> None:
        """Adds one message."""
        self._kept.append((one_line(text), style))

    @property
    def texts(self) -> list[str]:
        """All stored messages, oldest first."""
        return [text for text, _ in self._kept]

    def lines(self, advice: Sequence[str], width: int, height: int) -> list[Line]:
        """The advice, in at most half of the height, and below it the newest messages that fit."""
        if height < 1 or width < 4:
            return []
        above: list[Line] = []
        for text in advice:
            above += _wrapped(f"advice: {one_line(text)}", "warn", width)
        above = above[: max(height // 2, 1)]
        below: list[Line] = []
        for text, style in reversed(self._kept):
            wrapped = _wrapped(text, style, width)
            if below and len(above) + len(below) + len(wrapped) > height:
                break
            below = [*wrapped, *below]
        return [*above, *below][:height]


def _wrapped(text: str, style: str, width: int) -> list[Line]:
    found = wrap(text, width - 3, subsequent_indent="  ", break_on_hyphens=False)
    return [[(f" {line}", style)] for line in found]
