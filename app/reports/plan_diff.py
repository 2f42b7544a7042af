"""Compares two plans."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from voicegraph.graph.pipeline import Plan
from voicegraph.graph.runtime.timing import Timing
from voicegraph.schemas.plan_report import NodeReport, PlanReport

from ._plan_changes import Change, Cost, PlanDiff
from .plan_report import report_plan
from .text_table import milliseconds

Timings = Mapping[str, Timing]


def diff(
    a: Plan,
    b: Plan,
    *,
    names: tuple[str, str] | None = None,
    timings: tuple[Timings, Timings] | None = None,
) -> PlanDiff:
    """Compares two plans; nodes are matched by name.

    Args:
        a: the plan before.
        b: the plan after.
        names: names for the text; by default those of the plans.
        timings: ``Session.timings()`` of each, to compare costs.
    """
    one, two = report_plan(a), report_plan(b)
    before = {node.name: node for node in one.nodes}
    after = {node.name: node for node in two.nodes}
    both = [(before[name], after[name]) for name in before if name in after]
    called = names or (a.name, b.name)
    return PlanDiff(
        *called,
        (one.block_ms, two.block_ms),
        pipeline=_changes("", _pipeline(one), _pipeline(two)),
        added=tuple(Change(n, None, after[n].use) for n in after if n not in before),
        removed=tuple(Change(n, before[n].use, None) for n in before if n not in after),
        swapped=tuple(Change(x.name, x.use, y.use) for x, y in both if x.use != y.use),
        params=_each(both, lambda node: {k: json.dumps(v) for k, v in node.params.items()}),
        wiring=_each(both, lambda node: {i.port: i.source for i in node.inputs}),
        ports=_each(both, lambda node: dict(_ports(node))),
        placement=_each(both, lambda node: {"": _placement(node)}),
        latency=_latency(one, two, both),
        cost=_cost(*timings) if timings else None,
    )


def _each(
    both: list[tuple[NodeReport, NodeReport]], view: Callable[[NodeReport], Mapping[str, str]]
) -> tuple[Change, ...]:
    """The differences of nodes that both plans contain, in one view of them."""
    return tuple(change for x, y in both for change in _changes(x.name, view(x), view(y)))


def _changes(owner: str, before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(".".join(filter(None, (owner, key))), before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    )


def _pipeline(report: PlanReport) -> dict[str, str]:
    return {
        "block": f"{milliseconds(report.block_ms)} ms",
        "input": report.input.type,
        "output": f"{report.output}: {report.output_type}",
        "switched off": ", ".join(report.bypassed) or "none",
        "pruned": ", ".join(report.pruned) or "none",
        **{key: str(value) for key, value in report.settings.items()},
    }


def _ports(node: NodeReport) -> Iterator[tuple[str, str]]:
    for entry in node.inputs:
        back, ahead = milliseconds(entry.look_back_ms), milliseconds(entry.look_ahead_ms)
        yield f"{entry.port} (in)", f"{entry.type}, back {back} ms, ahead {ahead} ms"
    for made in node.outputs:
        kind = "window" if made.window else "stream"
        yield made.port, f"{made.type}, {kind} of {milliseconds(made.end_ms - made.start_ms)} ms"


def _placement(node: NodeReport) -> str:
    fallback = f" (else {node.fallback})" if node.fallback else ""
    return f"{node.device} {node.dtype}{fallback}"


def _latency(
    one: PlanReport, two: PlanReport, both: list[tuple[NodeReport, NodeReport]]
) -> tuple[Change, ...]:
    named = [
        {
            "algorithmic": f"{milliseconds(report.latency.algorithmic_ms)} ms",
            "buffering": f"{milliseconds(report.latency.buffering_ms)} ms",
        }
        for report in (one, two)
    ]
    nodes = _each(both, lambda node: {"": f"{milliseconds(node.latency_ms)} ms"})
    up_to = (Change(f"up to {c.what}", c.before, c.after) for c in nodes)
    return (*_changes("", *named), *up_to)


def _cost(before: Timings, after: Timings) -> tuple[Cost, ...]:
    names = [name for name in dict.fromkeys([*before, *after]) if name != "total"]
    return tuple(
        Cost(
            name,
            before[name].median_ms if name in before else None,
            after[name].median_ms if name in after else None,
        )
        for name in [*names, "total"]
    )
