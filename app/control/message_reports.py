"""Errors of requests that get no answer, reported as rate-limited messages of the session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from voicegraph.graph.errors import Problem, VoicegraphError

_FIRST_GAP_S = 1.0
_LONGEST_GAP_S = 60.0
_LONGEST_TEXT = 300


class RateLimitedReports:
    """Reports errors with increasing gaps: a broken controller must not hide other messages.

    The first error is reported at once, the next ones after gaps of 1 s, 2 s, 4 s and so on up to
    a minute, with the number of errors left out. A minute without errors resets the gap.

    Args:
        say: receives the messages.
        clock: returns the time in seconds.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._lock = threading.Lock()
        self._reported_at = self._failed_at = float("-inf")
        self._gap = 0.0
        self._left_out = 0

    def report(self, text: str | Callable[[], str]) -> None:
        """Reports one error, or counts it; a function is called only if its text is reported."""
        with self._lock:
            now = self._clock()
            if now - self._failed_at >= _LONGEST_GAP_S:
                self._gap = 0.0
            self._failed_at = now
            if now - self._reported_at < self._gap:
                self._left_out += 1
                return
            self._gap = min(2 * self._gap or _FIRST_GAP_S, _LONGEST_GAP_S)
            more = f" (and {self._left_out} more)" if self._left_out else ""
            self._reported_at, self._left_out = now, 0
        self._say((text if isinstance(text, str) else text()) + more)

    def report_failure(self, done: Future[Any]) -> None:
        """Reports the error of a command, if it failed."""
        if not done.cancelled() and (error := done.exception()) is not None:
            self._report_error(error)

    def run(self, function: Callable[..., None], *args: Any) -> bool:
        """Calls a function, and reports what it raises: the server's thread must not end.

        Returns:
            Whether it raised nothing.
        """
        try:
            function(*args)
        except Exception as error:
            self._report_error(error)
            return False
        return True

    def _report_error(self, error: BaseException) -> None:
        if not isinstance(error, VoicegraphError):
            self.report(lambda: f"OSC: {type(error).__name__}: {error}")
            return
        for problem in error.problems:
            self.report(lambda found=problem: problem_text(found))


def problem_text(problem: Problem) -> str:
    """A problem of an OSC message as one line, which may quote a long value."""
    message = problem.message
    if len(message) > _LONGEST_TEXT:
        message = f"{message[:_LONGEST_TEXT]}..."
    return f"OSC: {message}" + (f" ({problem.fix})" if problem.fix else "")
