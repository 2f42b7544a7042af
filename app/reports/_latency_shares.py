"""Causes of the algorithmic latency: the look-ahead of the edges on the critical path.

A node has look-ahead if its input ends later than its output; the output of the pipeline must wait
for it. Along any path from the input to the output, the look-ahead of the nodes and the delay of
the edges (latency compensation) add up to the latency. The critical path is the one without delay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from voicegraph.graph.pipeline import Plan
from voicegraph.graph.plan import PlannedNode


@dataclass(frozen=True, slots=True)
class Limit:
    """How much shorter the latency can get at one node, before another path decides.

    Attributes:
        gain: in seconds.
        node: the node with the most look-ahead that only the other path has.
    """

    gain: Fraction
    node: str


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the algorithmic latency, in exact seconds.

    Attributes:
        node: the node with look-ahead; None for the rounding to whole samples at the end.
        port: its input.
        ahead: the look-ahead; negative for a delay, which later look-ahead can use.
        limit: what shortening it gains at most; None if every millisecond counts.
    """

    node: str | None
    port: str | None
    ahead: Fraction
    limit: Limit | None = None


def span(planned: PlannedNode) -> tuple[Fraction, Fraction]:
    """Start and end of all outputs of a node at a tick."""
    spans = [spec.interval for spec in planned.asked.values()]
    return min(s.start for s in spans), max(s.end for s in spans)


def shares(plan: Plan) -> list[Share]:
    """The parts of ``plan.latency.algorithmic``, from the input to the output; they add up to it.

    Parts of zero are left out.
    """
    found = _longest(plan)
    rest = Share(None, None, plan.latency.algorithmic - _total(found))
    parts = [replace(share, limit=_limit(plan, share, found)) for share in found if share.ahead]
    return [*parts, *([rest] if rest.ahead else [])]


def _longest(plan: Plan, without: Share | None = None) -> list[Share]:
    """The path with the most look-ahead; ``without`` counts as if it had none."""
    paths: dict[str, list[Share]] = {"input": []}
    for planned in plan.nodes:  # producers first, so every path but a feedback edge is known
        _, end = span(planned)
        candidates = [
            [*paths[link.source.node], _share(planned, port, end, without)]
            for port, link in planned.inputs.items()
            if not link.feedback
        ]
        paths[planned.name] = max(candidates, key=_total, default=[])
    return paths[plan.output.node]


def _share(planned: PlannedNode, port: str, end: Fraction, without: Share | None) -> Share:
    ahead = planned.given[port].interval.end - end
    if without is not None and (planned.name, port) == (without.node, without.port):
        ahead = min(ahead, Fraction(0))
    return Share(planned.name, port, ahead)


def _limit(plan: Plan, share: Share, critical: list[Share]) -> Limit | None:
    """What can be gained at most by shortening a share; None if all of it can be."""
    if share.ahead <= 0:
        return None
    other = _longest(plan, share)
    gain = _total(critical) - _total(other)
    if gain >= share.ahead:
        return None
    on_path = {(part.node, part.port) for part in critical}
    apart = [part for part in other if (part.node, part.port) not in on_path]
    decides = max(apart, key=lambda part: part.ahead, default=None)
    return Limit(gain, decides.node) if decides is not None and decides.node else None


def _total(path: list[Share]) -> Fraction:
    return sum((share.ahead for share in path), Fraction(0))
