"""A budget per second: a token bucket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PAUSE_S = 0.02
"""How long an empty bucket stays closed: waking up for every single token would cost more."""
_BURST_S = 0.25


class TokenBucket:
    """Grants ``rate`` tokens a second, and up to a quarter of a second's at once.

    Args:
        rate: tokens per second.
        clock: returns the time in seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, rate * _BURST_S)
        self._clock = clock
        self._left = self._most
        self._filled_at = clock()
        self._closed_until = float("-inf")

    def wait_s(self) -> float:
        """Seconds until a token may be taken; 0 if one may now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if now < self._closed_until:
            return self._closed_until - now
        if self._left >= 1:
            return 0.0
        pause = max(PAUSE_S, (1 - self._left) / self._rate)
        self._closed_until = now + pause
        return pause

    async def admit(self) -> None:
        """Waits until a token may be taken, and takes it."""
        while wait_s := self.wait_s():
            await asyncio.sleep(wait_s)
        self.take()

    def take(self, count: float = 1) -> None:
        """Takes tokens, also more than there are: then the bucket stays closed for longer."""
        self._left -= count
