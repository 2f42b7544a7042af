"""Messages about events that may come in hundreds: repeated with growing pauses, and counted."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 60.0


@dataclass(slots=True)
class _Kind:
    told_at: float
    happened_at: float
    pause_s: float = _FIRST_PAUSE_S
    untold: int = 0


class RepeatedMessages:
    """Lets the first message of a kind pass, later ones after pauses of 2 s up to a minute.

    A minute without such an event resets the pause. Counters in the status are exact in any case.
    """

    def __init__(self) -> None:
        self._kinds: dict[Hashable, _Kind] = {}

    def take(self, kind: Hashable, text: str, now: float) -> str | None:
        """The message to give now, with the number of those left out; None to leave this one out.

        Args:
            kind: events of one kind share their pauses.
            text: the message about this event.
            now: the time in seconds.
        """
        known = self._kinds.get(kind)
        if known is None or now - known.happened_at >= _LONGEST_PAUSE_S:
            self._kinds[kind] = _Kind(now, now)
            return text
        known.happened_at = now
        if now - known.told_at < known.pause_s:
            known.untold += 1
            return None
        more = f" (and {known.untold} more like it)" if known.untold else ""
        known.told_at, known.untold = now, 0
        known.pause_s = min(2 * known.pause_s, _LONGEST_PAUSE_S)
        return text + more
