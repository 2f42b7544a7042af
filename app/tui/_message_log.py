"""Messages at the bottom of a screen: those of the session, and answers to keys, as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from textwrap import wrap

from ._message_diff import News
from ._text_lines import Line
from ._wording import one_line

_KEPT = 50


class MessageLog:
    """The newest messages, each in its tone."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, str]] = deque(maxlen=_KEPT)
        self._news = News()

    def take(self, messages: Sequence[str]) -> None:
        """Those of a status; what is known is not taken twice."""
        for text in self._news.take(messages):
            self.add(text, "")

    def add(self, text: str, tone: str) -> None:
        """One more."""
        self._kept.append((one_line(text), tone))

    @property
    def texts(self) -> list[str]:
        """All that is kept, oldest first."""
        return [text for text, _ in self._kept]

    def lines(self, advice: Sequence[str], width: int, height: int) -> list[Line]:
        """The newest that fit, newest last; advice stands above them, in half of the room."""
        if height < 1 or width < 4:
            return []
        above: list[Line] = []
        for text in advice:
            above += _wrapped(f"advice: {one_line(text)}", "warn", width)
        above = above[: max(height // 2, 1)]
        below: list[Line] = []
        for text, tone in reversed(self._kept):
            wrapped = _wrapped(text, tone, width)
            if below and len(above) + len(below) + len(wrapped) > height:
                break
            below = [*wrapped, *below]
        return [*above, *below][:height]


def _wrapped(text: str, tone: str, width: int) -> list[Line]:
    found = wrap(text, width - 3, subsequent_indent="  ", break_on_hyphens=False)
    return [[(f" {line}", tone)] for line in found]
