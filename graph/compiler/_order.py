"""Phase: the static order of nodes, and loops that are closed by a delay."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration

from ..intervals import Request
from .node_ir import INPUT, Draft, Sheet

Feeds = dict[str, list[str]]
"""Node name -> names of the nodes that it feeds, inside the pipeline."""


def order(sheet: Sheet) -> list[Draft]:
    """Producers before consumers, otherwise as in the file.

    An edge inside a loop whose consumer reads only what earlier ticks made asks for no order. It
    is a feedback edge if its consumer then really comes before its producer: one that comes after
    it finds the newest block there already.
    """
    late = {edge for loop in groups(_feeds(sheet)) for edge in _late_edges(sheet, loop)}
    done: dict[str, Draft] = {}
    waiting = dict(sheet.drafts)
    while waiting:
        ready = next((d for d in waiting.values() if _can_run(d, done, late)), None)
        if ready is None:
            _report(sheet, late)
            break
        ready.feedback = {
            port
            for port, ref in ready.sources.items()
            if (ready.name, port) in late and ref.node not in done
        }
        done[ready.name] = waiting.pop(ready.name)
    sheet.problems.raise_if_any()
    return list(done.values())


def _can_run(draft: Draft, done: dict[str, Draft], late: set[tuple[str, str]]) -> bool:
    return all(
        ref.node in done or ref == INPUT or (draft.name, port) in late
        for port, ref in draft.sources.items()
    )


def _late_edges(sheet: Sheet, loop: list[str]) -> Iterable[tuple[str, str]]:
    """Edges inside a loop that read nothing of the newest block, as (consumer, its port)."""
    for name in loop:
        draft = sheet.drafts[name]
        for port, ref in draft.sources.items():
            if ref.node not in loop or sheet.is_window(ref):
                continue
            made = sheet.drafts[ref.node].node.asked[ref.port].interval
            if draft.node.given[port].interval.end <= made.start:
                yield name, port


def _feeds(sheet: Sheet, without: Iterable[tuple[str, str]] = ()) -> Feeds:
    left_out = set(without)
    found: Feeds = {name: [] for name in sheet.drafts}
    for draft in sheet.drafts.values():
        for port, ref in draft.sources.items():
            if ref.node in found and (draft.name, port) not in left_out:
                found[ref.node].append(draft.name)
    return found


def loops(sheet: Sheet, without: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """One loop of each group of nodes that feed one another, as the path that it takes.

    ``without`` names edges to leave out, as (consumer, its port).
    """
    feeds = _feeds(sheet, without)
    return [_shortest(feeds, group) for group in groups(feeds)]


def looped(sheet: Sheet) -> dict[str, list[str]]:
    """The nodes that lie in loops, each with those that it feeds and that feed it."""
    return {name: group for group in groups(_feeds(sheet)) for name in group}


def groups(feeds: Feeds) -> list[list[str]]:
    """Nodes that feed one another, directly or round about: strongly connected components."""
    reach = {name: _reachable(feeds, name) for name in feeds}
    found: list[list[str]] = []
    for name in feeds:
        if name in reach[name] and not any(name in group for group in found):
            found.append([n for n in feeds if n in reach[name] and name in reach[n]])
    return found


def _reachable(feeds: Feeds, start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(feeds[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(feeds[name])
    return seen


def _shortest(feeds: Feeds, group: list[str]) -> list[str]:
    """The shortest way from the group's first node back to it (breadth first)."""
    paths = [[group[0]]]
    seen: set[str] = set()
    for path in paths:
        for name in feeds[path[-1]]:
            if name == group[0]:
                return path
            if name in group and name not in seen:
                seen.add(name)
                paths.append([*path, name])
    raise AssertionError("a group has a loop through each of its nodes")


def _report(sheet: Sheet, late: set[tuple[str, str]]) -> None:
    for loop in loops(sheet, without=late):
        add_loop(sheet, loop)


def add_loop(sheet: Sheet, loop: list[str]) -> None:
    """Notes that a loop needs a longer delay, at the edge that closes it."""
    first, last = sheet.drafts[loop[0]], loop[-1]
    port = next(port for port, ref in first.sources.items() if ref.node == last)
    if all(sheet.drafts[name].all_windows for name in loop):
        sheet.problems.add(
            "loop",
            f"{' -> '.join([*loop, loop[0]])} is a loop of windows: each is made afresh of the "
            "other's, so none begins",
            sheet.mark("nodes", first.name, "in", port),
            fix=sheet.insertion(first, port, "sola", "dsp.sola"),
        )
        return
    lags = {name: _lag(sheet, sheet.drafts[name], loop[i - 1]) for i, name in enumerate(loop)}
    notes = [
        (f"{name} {'delays by' if lag > 0 else 'looks ahead by'} {format_duration(abs(lag))}", name)
        for name, lag in lags.items()
        if lag
    ]
    block = format_duration(sheet.block)
    sheet.problems.add(
        "loop",
        f"{' -> '.join([*loop, loop[0]])} is a loop that needs values before they are made: one "
        f"delay in it must be longer than its look-ahead, by one block ({block}) or more",
        sheet.mark("nodes", first.name, "in", port),
        notes=[(text, sheet.mark("nodes", name)) for text, name in notes],
        fix=_fix(sheet, first, port, lags),
    )


def _lag(sheet: Sheet, draft: Draft, source: str) -> Fraction:
    """How far what a node needs of ``source`` lies behind what it gives; negative: ahead of it."""
    asked = Request.of(-sheet.block, Fraction(0))
    needs = draft.node.needs(draft.params, asked)
    ends = [needs.get(p, asked).end for p, ref in draft.sources.items() if ref.node == source]
    return -max(ends)


def _fix(sheet: Sheet, first: Draft, port: str, lags: dict[str, Fraction]) -> str:
    """The delay that is there, made longer, or a new one on the edge that closes the loop."""
    ahead = -sum((lag for lag in lags.values() if lag < 0), Fraction(0))
    time = format_duration(sheet.block + ahead)
    for name in lags:
        if sheet.drafts[name].node.use == "dsp.delay":
            return f"nodes.{name}.params.time: {time}"
    return sheet.insertion(first, port, "back", "dsp.delay", f"time: {time}")
