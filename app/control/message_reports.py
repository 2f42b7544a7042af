"""What goes wrong where nobody waits for an answer, told in the session's messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from voicegraph.graph.errors import VoicegraphError

_SHORTEST_S = 1.0
_LONGEST_S = 60.0


class Reports:
    """Tells seldom enough that a knob which sends nonsense does not bury everything else.

    The first failure is told at once, further ones after 1 s, 2 s, 4 s and so on up to a minute,
    with how many there were. After a minute of peace it begins anew.

    Args:
        say: where it is told.
        clock: seconds.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._lock = threading.Lock()
        self._told = self._failed_at = float("-inf")
        self._gap = 0.0
        self._kept_back = 0

    def tell(self, text: str) -> None:
        """One failure."""
        with self._lock:
            now = self._clock()
            if now - self._failed_at >= _LONGEST_S:
                self._gap = 0.0
            self._failed_at = now
            if now - self._told < self._gap:
                self._kept_back += 1
                return
            self._gap = min(2 * self._gap or _SHORTEST_S, _LONGEST_S)
            more = f" (and {self._kept_back} more)" if self._kept_back else ""
            self._told, self._kept_back = now, 0
        self._say(text + more)

    def outcome(self, done: Future[Any]) -> None:
        """How a command ended: nothing, if well."""
        if not done.cancelled() and (error := done.exception()) is not None:
            self._failed(error)

    def guarded(self, what: Callable[..., None], *given: Any) -> None:
        """Calls it; what it raises is told."""
        try:
            what(*given)
        except Exception as error:  # a thread that serves must not end
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, VoicegraphError):
            self.tell(f"OSC: {type(error).__name__}: {error}")
            return
        for problem in error.problems:
            self.tell(f"OSC: {problem.message}" + (f" ({problem.fix})" if problem.fix else ""))
