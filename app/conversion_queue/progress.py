"""How much of a job is converted, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_LEAST_S = 1.0
"""Seconds of work before the time left is told: earlier it would jump."""


class JobProgress:
    """Counts what is done, in seconds of sound; in bytes if a file does not say how long it is.

    Args:
        sizes: bytes of each file.
        clock: the time in seconds.
    """

    def __init__(self, sizes: Sequence[int], clock: Callable[[], float]) -> None:
        self._weights = [float(size) for size in sizes]
        self._done = [0.0] * len(sizes)
        self._clock = clock
        self._begun: float | None = None

    def set_lengths(self, seconds: Sequence[float | None]) -> None:
        """Sets the lengths of all files, as far as they are known; nothing is done yet."""
        known = [length for length in seconds if length is not None]
        if len(known) == len(seconds):
            self._weights = known

    def set_done(self, number: int, done: float, total: float | None) -> None:
        """Says how many seconds of a file are done, of how many if that is known."""
        if self._begun is None:
            self._begun = self._clock()
        share = min(done / total, 1.0) if total else 0.0
        self._done[number] = share * self._weights[number]

    def finish(self, number: int) -> None:
        """Says that nothing more comes of a file."""
        self._done[number] = self._weights[number]

    @property
    def share(self) -> float:
        """The share of the whole that is done, 0 to 1."""
        total = sum(self._weights)
        return min(sum(self._done) / total, 1.0) if total else 0.0

    @property
    def left_s(self) -> float | None:
        """The expected time left, at the speed so far; None before there is a speed."""
        if self._begun is None:
            return None
        took, share = self._clock() - self._begun, self.share
        if took < _LEAST_S or not share:
            return None
        return took * (1.0 - share) / share
