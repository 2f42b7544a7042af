"""Which node made a block late: the one that took the most beyond what it usually takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

_LEARNS = 0.05
"""How fast a node's usual time follows."""
SYSTEM = "(system)"
"""Blamed where no node took long: another program had the processor, or it slept too long."""


class Blame:
    """Keeps each node's usual time.

    Attributes:
        counts: late blocks by node.
        total_s: seconds of the newest tick.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.total_s = 0.0
        self._usual: dict[str, float] = {}
        self._excess: dict[str, float] = {}

    def take(self, spent: Mapping[str, float]) -> None:
        """Notes the seconds that each node took at the newest tick; ``total`` is the tick."""
        self.total_s = spent.get("total", 0.0)
        usual = self._usual
        self._excess = {}  # nodes may have been exchanged: who is gone is not blamed
        for name, seconds in spent.items():
            before = usual.setdefault(name, seconds)
            self._excess[name] = seconds - before
            usual[name] = before + _LEARNS * (min(seconds, 4 * before) - before)

    def name(self, block_s: float) -> str:
        """The node to blame for the newest tick, which is counted."""
        nodes = {name: over for name, over in self._excess.items() if name != "total"}
        worst = max(nodes, key=lambda name: nodes[name], default=SYSTEM)
        if nodes and nodes[worst] < 0.1 * block_s:
            # Nothing unusual: it is always too slow, or was not given its time.
            slow = self.total_s > block_s
            worst = max(nodes, key=lambda name: self._usual[name]) if slow else SYSTEM
        self.counts[worst] += 1
        return worst
