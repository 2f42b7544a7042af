"""Which messages are new: a status holds the newest few, not those since the last look."""

from __future__ import annotations

from collections.abc import Sequence


class News:
    """Remembers what was there at the last look."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def take(self, messages: Sequence[str]) -> list[str]:
        """Those that have come since the last look, oldest first.

        What was there is recognised by its order: the end of the old list begins the new one.
        """
        now = list(messages)
        kept = min(len(self._known), len(now))
        while self._known[len(self._known) - kept :] != now[:kept]:
            kept -= 1
        self._known = now
        return now[kept:]
