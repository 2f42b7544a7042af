"""Phase: the running order of nodes, and feedback loops with a delay."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration

from ..intervals import Request
from .node_ir import INPUT, CompileContext, NodeIR

Consumers = dict[str, list[str]]
"""Node name -> names of the nodes that read its outputs."""


def order(context: CompileContext) -> list[NodeIR]:
    """Nodes in running order: producers before consumers, otherwise as in the file.

    An edge inside a loop whose consumer reads only values of earlier ticks does not constrain the
    order. It becomes a feedback edge if its consumer comes before its producer; a consumer that
    comes later finds the newest block in its history.
    """
    late = {
        edge
        for loop in strongly_connected(_consumers_of(context))
        for edge in _delayed_edges(context, loop)
    }
    done: dict[str, NodeIR] = {}
    waiting = dict(context.nodes)
    while waiting:
        ready = next((d for d in waiting.values() if _can_run(d, done, late)), None)
        if ready is None:
            _report(context, late)
            break
        ready.feedback = {
            port
            for port, ref in ready.sources.items()
            if (ready.name, port) in late and ref.node not in done
        }
        done[ready.name] = waiting.pop(ready.name)
    context.problems.raise_if_any()
    return list(done.values())


def _can_run(ir: NodeIR, done: dict[str, NodeIR], late: set[tuple[str, str]]) -> bool:
    return all(
        ref.node in done or ref == INPUT or (ir.name, port) in late
        for port, ref in ir.sources.items()
    )


def _delayed_edges(context: CompileContext, loop: list[str]) -> Iterable[tuple[str, str]]:
    """Edges inside a loop that read nothing of the newest block, as (consumer, port)."""
    for name in loop:
        ir = context.nodes[name]
        for port, ref in ir.sources.items():
            if ref.node not in loop or context.is_window(ref):
                continue
            made = context.nodes[ref.node].node.asked[ref.port].interval
            if ir.node.given[port].interval.end <= made.start:
                yield name, port


def _consumers_of(context: CompileContext, without: Iterable[tuple[str, str]] = ()) -> Consumers:
    left_out = set(without)
    found: Consumers = {name: [] for name in context.nodes}
    for ir in context.nodes.values():
        for port, ref in ir.sources.items():
            if ref.node in found and (ir.name, port) not in left_out:
                found[ref.node].append(ir.name)
    return found


def loops(context: CompileContext, without: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """One loop of each group of nodes that feed one another, as a path of node names.

    ``without`` names edges to leave out, as (consumer, port).
    """
    consumers = _consumers_of(context, without)
    return [_shortest(consumers, group) for group in strongly_connected(consumers)]


def loop_members(context: CompileContext) -> dict[str, list[str]]:
    """The nodes in loops, each with the members of its group."""
    return {name: group for group in strongly_connected(_consumers_of(context)) for name in group}


def strongly_connected(consumers: Consumers) -> list[list[str]]:
    """Groups of nodes that feed one another: strongly connected components."""
    reach = {name: _reachable(consumers, name) for name in consumers}
    found: list[list[str]] = []
    for name in consumers:
        if name in reach[name] and not any(name in group for group in found):
            found.append([n for n in consumers if n in reach[name] and name in reach[n]])
    return found


def _reachable(consumers: Consumers, start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(consumers[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(consumers[name])
    return seen


def _shortest(consumers: Consumers, group: list[str]) -> list[str]:
    """The shortest path from the group's first node back to it (breadth first)."""
    paths = [[group[0]]]
    seen: set[str] = set()
    for path in paths:
        for name in consumers[path[-1]]:
            if name == group[0]:
                return path
            if name in group and name not in seen:
                seen.add(name)
                paths.append([*path, name])
    raise AssertionError("a group has a loop through each of its nodes")


def _report(context: CompileContext, late: set[tuple[str, str]]) -> None:
    for loop in loops(context, without=late):
        report_loop(context, loop)


def report_loop(context: CompileContext, loop: list[str]) -> None:
    """Reports that a loop needs a longer delay, at the edge that closes it."""
    first, last = context.nodes[loop[0]], loop[-1]
    port = next(port for port, ref in first.sources.items() if ref.node == last)
    if all(context.nodes[name].all_windows for name in loop):
        context.problems.add(
            "loop",
            f"{' -> '.join([*loop, loop[0]])} is a loop of windows: each is computed anew from the "
            "others, so none can start",
            context.mark("nodes", first.name, "in", port),
            fix=context.insertion(first, port, "sola", "dsp.sola"),
        )
        return
    lags = {name: _lag(context, context.nodes[name], loop[i - 1]) for i, name in enumerate(loop)}
    notes = [
        (f"{name} {'delays by' if lag > 0 else 'looks ahead by'} {format_duration(abs(lag))}", name)
        for name, lag in lags.items()
        if lag
    ]
    block = format_duration(context.block)
    context.problems.add(
        "loop",
        f"{' -> '.join([*loop, loop[0]])} is a loop that needs values before they are computed: a "
        f"delay in it must exceed its look-ahead by at least one block ({block})",
        context.mark("nodes", first.name, "in", port),
        notes=[(text, context.mark("nodes", name)) for text, name in notes],
        fix=_fix(context, first, port, lags),
    )


def _lag(context: CompileContext, ir: NodeIR, source: str) -> Fraction:
    """Delay of a node against what it needs of ``source``, in seconds; negative: look-ahead."""
    asked = Request.of(-context.block, Fraction(0))
    needs = ir.node.needs(ir.params, asked)
    ends = [needs.get(p, asked).end for p, ref in ir.sources.items() if ref.node == source]
    return -max(ends)


def _fix(context: CompileContext, first: NodeIR, port: str, lags: dict[str, Fraction]) -> str:
    """A longer time for an existing delay, or a new delay at the edge that closes the loop."""
    ahead = -sum((lag for lag in lags.values() if lag < 0), Fraction(0))
    time = format_duration(context.block + ahead)
    for name in lags:
        if context.nodes[name].node.use == "dsp.delay":
            return f"nodes.{name}.params.time: {time}"
    return context.insertion(first, port, "back", "dsp.delay", f"time: {time}")
