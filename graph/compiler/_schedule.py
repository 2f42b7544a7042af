"""Phase: which span of time every port covers at a tick, worked out backwards from the output.

The output must advance by one block a tick. Each node answers, for the span asked of its outputs,
which spans it needs of its inputs. Look-back, look-ahead, delay and the alignment of branches all
follow from that. The latency is the smallest delay of the output for which nothing needs input
that has not come yet.
"""

from __future__ import annotations

import math
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration

from ..errors import VoicegraphError
from ..intervals import Interval, Request, merge
from ..ports import PortRef, PortSpec
from ._order import add_loop, loops
from ._rates import common_rate
from .node_ir import INPUT, Draft, Sheet

_OUTPUT = ("", "output")
_PASSES = 16
"""Rounding to the grids of slower signals may make a second pass necessary, hardly a third."""
Asked = dict[PortRef, dict[tuple[str, str], Request]]


def schedule(sheet: Sheet) -> None:
    """Finds the latency and gives every port its span."""
    found = sheet.type_of(sheet.output)
    step = 1 / (found.rate if found else sheet.source.rate)
    held = math.ceil(sheet.at_least / step) * step
    sheet.latency = max(_latency(sheet, step), held)
    _assign(sheet, _settle(sheet, sheet.latency))
    sheet.problems.raise_if_any()


def _latency(sheet: Sheet, step: Fraction) -> Fraction:
    """The least number of steps (samples of the output) for which all that is needed has come."""
    short, enough = -1, 0  # in steps; later outputs never need later input, so halving finds it
    for _ in range(_PASSES):
        late = _late(sheet, _settle(sheet, enough * step))
        if late <= 0:
            break
        short, enough = enough, enough + math.ceil(late / step)
    else:
        tried = format_duration(enough * step)
        text = f"no latency, up to {tried}, is enough for what the nodes look ahead"
        sheet.problems.add("cannot-schedule", text, sheet.mark("output"))
        sheet.problems.raise_if_any()
    # Rounding to the grids of slower signals counts in the last step; it may not be needed at all.
    tried = enough - 1
    while tried > short:
        if _late(sheet, _settle(sheet, tried * step)) <= 0:
            enough = tried
        else:
            short = tried
        tried = (short + enough) // 2
    return enough * step


def _late(sheet: Sheet, asked: Asked) -> Fraction:
    """How much of what is asked of the input and of generators has not come yet, in seconds."""
    ends = [r.interval.on_grid(sheet.source.rate).end for r in asked.get(INPUT, {}).values()]
    generators = [draft for draft in sheet.drafts.values() if not draft.sources]
    ends += [out.end for draft in generators if (out := _asked_of(sheet, draft, asked))]
    return max(ends, default=Fraction(0))


def _settle(sheet: Sheet, latency: Fraction) -> Asked:
    """Passes requests from consumers to producers until none changes."""
    first = Request.of(-latency - sheet.block, -latency)
    asked: Asked = {sheet.output: {_OUTPUT: first}}
    order = _consumers_first(sheet)
    changed: set[str] = set()
    for _ in range(len(order) + 2):
        changed = {draft.name for draft in order if _pass_on(sheet, draft, asked)}
        if not changed:
            return asked
    # What a loop asks of itself lies later at every round: its look-ahead exceeds its delay.
    for loop in loops(sheet):
        if changed.issuperset(loop):
            add_loop(sheet, loop)
    sheet.problems.raise_if_any()
    raise AssertionError("requests settle wherever no loop moves them")


def _pass_on(sheet: Sheet, draft: Draft, asked: Asked) -> bool:
    """Asks a node's sources for what it needs; whether that was news."""
    out = _asked_of(sheet, draft, asked)
    if out is None:
        return False
    news = False
    for port, request in _needs(sheet, draft, out).items():
        entry = asked.setdefault(draft.sources[port], {})
        news |= entry.get((draft.name, port)) != request
        entry[draft.name, port] = request
    return news


def _consumers_first(sheet: Sheet) -> list[Draft]:
    """Depth first from the output, producers last; loops are cut anywhere, _settle repeats."""
    done: dict[str, Draft] = {}
    seen = {INPUT.node}
    todo = [(sheet.output.node, False)]
    while todo:
        name, finished = todo.pop()
        if finished:
            done[name] = sheet.drafts[name]
        elif name not in seen:
            seen.add(name)
            todo.append((name, True))
            todo.extend((ref.node, False) for ref in sheet.drafts[name].sources.values())
    return list(reversed(done.values()))


def _asked_of(sheet: Sheet, draft: Draft, asked: Asked) -> Request | None:
    """One request for all outputs of a node: a block for streams, the whole span for windows."""
    requests = {
        port: merge(asked[ref].values())
        for port in draft.node.output_types
        if (ref := PortRef(draft.name, port)) in asked
    }
    if not requests:
        return None
    streams = [port for port in requests if not draft.windows[port]]
    if not streams:
        return merge(requests.values())
    grid = common_rate(draft.node.output_types[port].rate for port in streams)
    end = max(requests[port].end for port in requests)
    end = Fraction(math.ceil(end * grid)) / grid
    block = Request.of(end - sheet.block, end)
    return merge([block, *(r for port, r in requests.items() if draft.windows[port])])


def _needs(sheet: Sheet, draft: Draft, out: Request) -> dict[str, Request]:
    try:
        found = draft.node.needs(draft.params, out)
    except (ValueError, VoicegraphError) as error:
        sheet.problems.add("cannot-schedule", f"{draft.name}: {error}", sheet.mark(*draft.path))
        sheet.problems.raise_if_any()
        raise
    return {port: found.get(port, out) for port in draft.sources}


def _assign(sheet: Sheet, asked: Asked) -> None:
    """Writes what was found into the nodes: ``asked`` of outputs, ``given`` to inputs."""
    for draft in sheet.drafts.values():
        out = _asked_of(sheet, draft, asked)
        for port, found in draft.node.output_types.items():
            ref = PortRef(draft.name, port)
            entry = asked.get(ref)
            whole = merge(entry.values()) if entry else out
            if out is None or whole is None:
                continue
            if draft.windows[port]:
                span, core = draft.node.gives(draft.params, out), whole.core
                if not span.covers(core):
                    text = f"{draft.name} gives {span} of its `{port}`, but {core} is needed"
                    sheet.problems.add("cannot-schedule", text, sheet.mark(*draft.path))
            else:
                end = out.end
                span = core = Interval(end - sheet.block, end)
            draft.node.asked[port] = PortSpec(found, span, core, draft.windows[port])
    for draft in sheet.drafts.values():
        for port, ref in draft.sources.items():
            draft.node.given[port] = _given(sheet, ref, asked[ref][draft.name, port], asked)


def _given(sheet: Sheet, ref: PortRef, request: Request, asked: Asked) -> PortSpec:
    """What a consumer gets: its span on the producer's grid, and a window's surplus at the rim."""
    found = sheet.type_of(ref)
    assert found is not None
    if not sheet.is_window(ref):
        return PortSpec(found, request.interval.on_grid(found.rate), request.core, False)
    made = sheet.drafts[ref.node].node.asked[ref.port]
    whole = merge(asked[ref].values()).interval
    start = made.interval.start
    if request.start != whole.start and request.start > start:
        start += Fraction(made.index(request.start)) / found.rate
    end = made.interval.end
    if request.end != whole.end and request.end < end:
        end = (
            made.interval.start
            + Fraction(math.ceil((request.end - made.interval.start) * found.rate)) / found.rate
        )
    return PortSpec(found, Interval(start, end), request.core, True)
