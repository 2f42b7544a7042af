"""The pages that follow the session: each gets what is new at its own rate.

A page that reads slowly gets the newest status instead of all, and loses spectra before answers.
Many pages share a bounded number of messages a second, so that they take no processor time from the
session.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

from .load_shedding import LoadShedding

_MOST_WAITING = 256
"""Messages that wait for one page, at most."""
_EARLY = 0.9
"""A status may come by a tenth of its period too early: clocks of two processes jitter."""
_MOST_HZ = 320
"""Statuses a second to all pages together, at most, and as many spectra: those of sixteen pages.
Load shedding lowers both."""


class Pace:
    """Lets a message pass if its period is over.

    Args:
        period: in seconds, at least.
    """

    def __init__(self, period: float) -> None:
        self._period = period
        self._due = 0.0

    def passes(self, shared: float) -> bool:
        """Whether a message may be sent now; then the next period begins.

        Args:
            shared: the period in seconds for which there are too many pages to send more often.
        """
        now = monotonic()
        if now < self._due:
            return False
        self._due = now + _EARLY * max(self._period, shared)
        return True


class PageClient:
    """One page.

    Args:
        rate: statuses a second, at most.
        spectrum: whether it wants spectra.
    """

    def __init__(self, rate: float, spectrum: bool) -> None:
        self.spectrum = spectrum
        self._statuses, self._spectra = Pace(1 / rate), Pace(0.0)
        self._status: str | None = None
        self._others: deque[str] = deque(maxlen=_MOST_WAITING)
        self._news = asyncio.Event()

    def put_status(self, text: str, shared: float, *, last: bool = False) -> None:
        """A new status, which replaces one that was not sent yet; see :meth:`Pace.passes`."""
        if self._statuses.passes(shared) or last:
            self._status = text
            self._news.set()

    def put_spectrum(self, text: str, shared: float) -> None:
        """A new spectrum, if the page wants it; see :meth:`Pace.passes`."""
        if self.spectrum and self._spectra.passes(shared):
            self.put(text)

    def put(self, text: str) -> None:
        """Any other message; all are sent, as long as the page reads."""
        self._others.append(text)
        self._news.set()

    @property
    def waits(self) -> bool:
        """Whether a message waits to be sent."""
        return bool(self._others) or self._status is not None

    async def next(self) -> str:
        """The next message to send."""
        while True:
            if self._others:
                return self._others.popleft()
            if self._status is not None:
                text, self._status = self._status, None
                return text
            self._news.clear()
            await self._news.wait()


class PageClients:
    """All pages that follow the session.

    Args:
        shedding: lowers what all pages get together.

    Attributes:
        changed: set when a page came or went.
    """

    def __init__(self, shedding: LoadShedding) -> None:
        self._shedding = shedding
        self._clients: set[PageClient] = set()
        self.changed = asyncio.Event()

    def add(self, client: PageClient) -> None:
        """A page came."""
        self._clients.add(client)
        self.changed.set()

    def remove(self, client: PageClient) -> None:
        """A page went."""
        self._clients.discard(client)
        self.changed.set()

    @property
    def watched(self) -> bool:
        """Whether there is a page."""
        return bool(self._clients)

    @property
    def want_spectrum(self) -> bool:
        """Whether a page wants spectra."""
        return any(client.spectrum for client in self._clients)

    def send_status(self, text: str, *, last: bool) -> None:
        """A new status to all."""
        shared = self._shared_period
        for client in self._clients:
            client.put_status(text, shared, last=last)

    def send_spectrum(self, text: str) -> None:
        """A spectrum to those that want it."""
        shared = self._shared_period
        for client in self._clients:
            client.put_spectrum(text, shared)

    @property
    def _shared_period(self) -> float:
        """Seconds between two statuses to one page, so that all together get what is granted."""
        return len(self._clients) / (_MOST_HZ * self._shedding.share)

    def send(self, text: str) -> None:
        """Any other message to all."""
        for client in self._clients:
            client.put(text)
