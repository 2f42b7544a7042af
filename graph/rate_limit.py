"""How often something that is repeated may be told: progress lines, reports to a listener."""

from __future__ import annotations

from time import monotonic


class RateLimit:
    """Lets something pass at most once in so many seconds; the first time after that time.

    Args:
        every_s: seconds; 0 lets everything pass.
        at_once: whether the first one may pass at once.
    """

    def __init__(self, every_s: float, *, at_once: bool = False) -> None:
        self._every_s = every_s
        self._last = monotonic() - (every_s if at_once else 0.0)

    def passes(self) -> bool:
        """Whether it may pass now; then the time begins anew."""
        now = monotonic()
        if now - self._last < self._every_s:
            return False
        self._last = now
        return True

    def restart(self) -> None:
        """The time begins anew, as if something had passed."""
        self._last = monotonic()
