"""Causes of the algorithmic latency: the look-ahead of the edges on the critical path.

A node has look-ahead if its input ends later than its output; the output of the pipeline must wait
for it. Along any path from the input to the output, the look-ahead of the nodes and the delay of
the edges (latency compensation) add up to the latency. The critical path is the one without delay.
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
        node: the node with look-ahead; None for the rounding to whole samples at the end.
        port: its input.
        ahead: the look-ahead; negative for a delay, which later look-ahead can use.
    """

    node: str | None
    port: str | None
    ahead: Fraction


def span(planned: PlannedNode) -> tuple[Fraction, Fraction]:
    """Start and end of all outputs of a node at a tick."""
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
