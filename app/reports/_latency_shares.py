"""Where the algorithmic latency comes from: which edges read ahead, along the path that decides.

A node whose input ends later than its output reads ahead; the output of the pipeline must wait for
it. Along any path from the input to the output, what the nodes read ahead and what the edges hold
back add up to the latency. The path that decides is the one on which nothing is held back.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from voicegraph.graph.pipeline import Plan
from voicegraph.graph.plan import PlannedNode


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the algorithmic latency, in exact seconds.

    Attributes:
        node: who reads ahead; None for what rounding to whole samples adds at the end.
        port: by which input.
        ahead: how much; negative where a delay lets later look-ahead hide behind it.
    """

    node: str | None
    port: str | None
    ahead: Fraction


def span(planned: PlannedNode) -> tuple[Fraction, Fraction]:
    """Start and end of what a node makes at a tick, all outputs together."""
    spans = [spec.interval for spec in planned.asked.values()]
    return min(s.start for s in spans), max(s.end for s in spans)


def shares(plan: Plan) -> list[Share]:
    """The parts of ``plan.latency.algorithmic``, from the input to the output; they add up to it.

    Parts of zero are left out.
    """
    paths: dict[str, list[Share]] = {"input": []}
    for planned in plan.nodes:  # producers first, so every path but a feedback edge is known
        _, end = span(planned)
        candidates = [
            [*paths[link.source.node], _share(planned, port, end)]
            for port, link in planned.inputs.items()
            if not link.feedback
        ]
        paths[planned.name] = max(candidates, key=_total, default=[])
    found = paths[plan.output.node]
    rest = Share(None, None, plan.latency.algorithmic - _total(found))
    return [share for share in [*found, rest] if share.ahead]


def _share(planned: PlannedNode, port: str, end: Fraction) -> Share:
    return Share(planned.name, port, planned.given[port].interval.end - end)


def _total(path: list[Share]) -> Fraction:
    return sum((share.ahead for share in path), Fraction(0))
