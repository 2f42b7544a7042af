"""Comparing costs: of a plan on a machine, so there are no speakers and no p.

The interval of a difference comes from alternating measurements; latencies are exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from voicegraph.schemas.experiment_tables import Better, CostRow

from ..statistics.paired import Comparison, Verdict

PLAN_METRICS = ("cost.", "latency.")
"""Metrics of plans, not of clips; the rest of the name is that of a cost."""
NO_BASELINE = "there is no cell with the baseline"


class _Cell(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def plan(self) -> str | None: ...


class Costs:
    """Cost rows, found by cell and figure."""

    def __init__(self, rows: Sequence[CostRow]) -> None:
        self._rows: dict[tuple[str, str], list[CostRow]] = defaultdict(list)
        for row in rows:
            self._rows[row.cell, row.name].append(row)

    def compare(
        self,
        metric: str,
        cells: Sequence[tuple[_Cell, _Cell]],
        margin: float | None,
        better: Better,
    ) -> list[tuple[str, Comparison]]:
        """The comparison on each machine, with its name if there are several."""
        name = metric.partition(".")[2]
        plans = {(one.plan, other.plan): (one, other) for one, other in reversed(cells)}
        if not plans:
            return [("", Comparison(0, why=NO_BASELINE))]
        if len(plans) > 1:
            why = "the cells have several plans: name what distinguishes them in `within`"
            return [("", Comparison(len(plans), why=why))]
        one, other = next(iter(plans.values()))
        machines = sorted({row.machine for row in self._rows[one.name, name]})
        if not machines:
            return [("", Comparison(0, why="not computed yet"))]
        found = [(host, self._on(host, name, one, other)) for host in machines]
        return [
            (f"machine={host}" if len(machines) > 1 else "", _judge(answer, margin, better))
            for host, answer in found
        ]

    def _on(self, machine: str, name: str, one: _Cell, other: _Cell) -> Comparison:
        rows = [row for row in self._rows[one.name, name] if row.machine == machine]
        for row in rows:
            if row.against == other.name and row.difference is not None:
                base = row.value - row.difference
                low, high = row.difference_low, row.difference_high
                return Comparison(1, row.value, base, row.difference, low, high)
        if one.plan == other.plan:
            return Comparison(1, rows[0].value, rows[0].value, 0.0, why="both have the same plan")
        theirs = [row for row in self._rows[other.name, name] if row.machine == machine]
        if not theirs:
            return Comparison(0, why="not computed yet")
        mine, base = rows[0].value, theirs[0].value
        if not machine:  # a latency: not measured, but known
            return Comparison(1, mine, base, mine - base, mine - base, mine - base)
        why = "they were not measured in turns, so the difference has no interval"
        return Comparison(1, mine, base, mine - base, why=why)


def _judge(answer: Comparison, margin: float | None, better: Better) -> Comparison:

    low, high = answer.low, answer.high
    if answer.why or low is None or high is None:
        return replace(answer, why=answer.why or "the difference has no interval")
    equivalent = None if margin is None else -margin < low and high < margin
    same = low == high == 0
    verdict: Verdict = "no difference shown"
    if equivalent or same:
        verdict = "equivalent"
    elif low > 0 or high < 0:
        verdict = "better" if (low > 0) == (better == "higher") else "worse"
    return replace(answer, equivalent=equivalent, verdict=verdict)
