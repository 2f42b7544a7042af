"""Overruns: counts of late and dropped blocks, the node that caused them, and advice.

A block overruns (is late) if its output is ready only after the output device asked for it. An
overrun of the engine can, but need not, come with an underrun of the device.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from voicegraph.schemas.live_status import LateReport
from voicegraph.schemas.quantities import format_duration

from ..pipeline import Pipeline
from ..plan import CompiledPlan, PlannedNode
from ..runtime.timing import Timing

SYSTEM = "(system)"
"""Named as the cause if no node took long: another program had the processor, or the engine thread
woke up late."""

_LEARNING_RATE = 0.05
"""Weight of the newest block in a node's usual time."""
_MANY_OVERRUNS = 3
"""Overruns in a minute from which on there is advice."""
_FULL = 0.85
"""Part of a block that may be spent computing; the rest is for other threads of the machine."""
_COSTLY = 0.25
"""Part of the compute time from which on a node is worth changing."""
_CHEAP_F0 = "f0.dio"
_CLEARLY_MORE = 1.3
"""Factor of what was advised before from which on advice is repeated with new figures."""
_LONG_CONTEXT = 4
"""Blocks of context from which on a shorter one is worth a try."""


@dataclass(slots=True)
class OverrunCounts:
    """Late, dropped and skipped blocks so far.

    Attributes:
        late: blocks that were late (overruns).
        worst_s: the longest overrun in seconds.
        dropped: input blocks that were left out, because their output would have been too late.
        skipped: silent blocks that were not processed.
        when: times of the newest overruns (``time.perf_counter``).
    """

    late: int = 0
    worst_s: float = 0.0
    dropped: int = 0
    skipped: int = 0
    when: deque[float] = field(default_factory=lambda: deque(maxlen=4096))

    def add_late(self, seconds: float, now: float) -> None:
        """Counts a block that was late by so many seconds."""
        self.late += 1
        self.worst_s = max(self.worst_s, seconds)
        self.when.append(now)

    def late_since(self, when: float) -> int:
        """Number of late blocks since a time; may be called from any thread."""
        # Iterates over a copy: the engine thread may append meanwhile.
        return sum(at >= when for at in self.when.copy())


class OverrunAttribution:
    """Finds the node that caused an overrun: the one that exceeded its usual time by the most.

    Attributes:
        counts: late blocks by node.
        total_s: seconds of compute time of the newest block.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.total_s = 0.0
        self._usual: dict[str, float] = {}
        self._excess: dict[str, float] = {}

    def take(self, spent: Mapping[str, float]) -> None:
        """Adds the seconds that each node took for the newest block; ``total`` is their sum."""
        self.total_s = spent.get("total", 0.0)
        usual = self._usual
        self._excess = {}  # nodes may have been swapped: a removed node must not be named
        for name, seconds in spent.items():
            before = usual.setdefault(name, seconds)
            self._excess[name] = seconds - before
            usual[name] = before + _LEARNING_RATE * (min(seconds, 4 * before) - before)

    def attribute(self, block_s: float) -> str:
        """Counts an overrun of the newest block, and returns the node that caused it."""
        nodes = {name: over for name, over in self._excess.items() if name != "total"}
        worst = max(nodes, key=lambda name: nodes[name], default=SYSTEM)
        if nodes and nodes[worst] < 0.1 * block_s:
            # No node was slower than usual: either the pipeline is always too slow for its block,
            # or the engine did not get the processor.
            slow = self.total_s > block_s
            worst = max(nodes, key=lambda name: self._usual[name]) if slow else SYSTEM
        self.counts[worst] += 1
        return worst


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting that would prevent overruns.

    Attributes:
        kind: what kind of setting; with ``node``, what makes two pieces of advice the same.
        node: the node that it is about; empty: the whole pipeline.
        text: for people.
        amount: the value that is advised, where a larger one may become necessary.
    """

    kind: str
    node: str
    text: str
    amount: float = 0.0


class AdviceMemory:
    """Keeps the wording of advice while its measured figures vary.

    Advice changes if it is of another kind or about another node, or if clearly more is needed than
    was advised before.
    """

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], Advice] = {}

    def update(self, found: list[Advice]) -> list[str]:
        """The texts of the present advice, in its order."""
        texts = []
        for advice in found:
            key = (advice.kind, advice.node)
            given = self._given.setdefault(key, advice)
            if advice.amount > _CLEARLY_MORE * given.amount:
                given = self._given[key] = advice
            texts.append(given.text)
        return texts


def overrun_advice(
    plan: CompiledPlan, timings: Mapping[str, Timing], late: LateReport, block_ms: float
) -> list[Advice]:
    """Settings that would prevent overruns, most helpful first; empty if there are few."""
    total = timings["total"]
    if late.last_minute < _MANY_OVERRUNS or not total.ticks:
        return []
    if total.p99_ms < _FULL * block_ms:
        text = (
            f"blocks take {total.p99_ms:.0f} of {block_ms:.0f} ms and are still late: "
            "another program takes the processor, or the thread wakes up late: try --margin 10ms"
        )
        return [Advice("margin", "", text)]
    costly = sorted(plan.nodes, key=lambda node: -timings[node.name].median_ms)
    found = [
        advice
        for node in costly
        if timings[node.name].median_ms > _COSTLY * total.median_ms
        for advice in _node_advice(plan, node, timings[node.name], block_ms)
    ]
    return [*found, _larger_block(total, block_ms)]


def _node_advice(
    plan: CompiledPlan, node: PlannedNode, timing: Timing, block_ms: float
) -> list[Advice]:
    takes = f"{node.name} takes {timing.median_ms:.0f} of {block_ms:.0f} ms"
    if node.node.interface == "F0Estimator" and node.use != _CHEAP_F0:
        text = f"{takes}: a cheaper tracker is --set nodes.{node.name}.use={_CHEAP_F0}"
        return [Advice("tracker", node.name, text)]
    spans = [spec.interval.end - spec.interval.start for spec in node.asked.values() if spec.window]
    span = max(spans, default=Fraction(0))
    if span <= _LONG_CONTEXT * plan.block:
        return []
    half = format_duration(span / 2)
    names = plan.origin.loaded.file.vars if isinstance(plan.origin, Pipeline) else {}
    how = f"--set vars.extra={half}" if "extra" in names else "a shorter context"
    text = f"{takes} on {format_duration(span)} of context: {how}"
    return [Advice("context", node.name, text)]


def _larger_block(total: Timing, block_ms: float) -> Advice:
    """Assumes the worst case: a block costs the same whatever its length. Steps of 10 ms."""
    needed = max(total.p99_ms / _FULL, 1.2 * block_ms)
    size = format_duration(Fraction(10 * ceil(needed / 10), 1000))
    text = (
        f"blocks take {total.p99_ms:.0f} of {block_ms:.0f} ms: a larger block is --set block={size}"
    )
    return Advice("block", "", text, needed)
