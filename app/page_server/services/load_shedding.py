"""Load shedding: while a session is short of time, the page server sends and receives less.

A live session on the same processor cores must give each block in time; pages and uploads can wait.
"""

from __future__ import annotations

_ENOUGH = 0.4
"""Part of a block that is to be left at the 99th percentile of its compute time."""
_LEAST = 1 / 8
"""Share of the rates that stays however short of time the session is."""


class LoadShedding:
    """Which share of its rates the page server may use.

    Attributes:
        share: 1 without a session or with enough headroom, 1/8 without any, linear between.
    """

    def __init__(self) -> None:
        self.share = 1.0

    def follow(self, headroom: float | None) -> None:
        """Takes the newest headroom of the session.

        Args:
            headroom: part of a block that is left at the 99th percentile, negative if blocks
                overrun; None: no session runs.
        """
        spare = 1.0 if headroom is None else headroom / _ENOUGH
        self.share = min(1.0, max(_LEAST, spare))
