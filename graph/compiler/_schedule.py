"""Phase: the interval of time that every port covers at a tick, backwards from the output.

The output must advance by one block per tick. Each node answers, for the interval requested of its
outputs, which intervals it needs of its inputs. Look-back, look-ahead, delay and the alignment of
branches follow from that. The latency is the smallest delay of the output for which no node needs
future input.
"""

from __future__ import annotations

import math
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration

from ..errors import VoicegraphError
from ..intervals import Interval, Request, merge
from ..ports import PortRef, PortSpec
from ._order import loops, report_loop
from ._rates import common_rate
from .node_ir import INPUT, CompileContext, NodeIR

_OUTPUT = ("", "output")
_PASSES = 16
"""Passes that add what is missing: rounding to grids of slower signals can require some."""
_LONG_PASSES = 8
"""Further passes, each of which adds twice as much as the one before: what is missing may stay the
same small amount until the next value of a slow grid is reached, as with devices of 44100 Hz."""
Asked = dict[PortRef, dict[tuple[str, str], Request]]


def schedule(context: CompileContext) -> None:
    """Finds the latency and sets the interval of every port."""
    found = context.type_of(context.output)
    step = 1 / (found.rate if found else context.source.rate)
    held = math.ceil(context.min_latency / step) * step
    context.latency = max(_latency(context, step), held)
    _assign(context, _propagate_requests(context, context.latency))
    context.problems.raise_if_any()


def _latency(context: CompileContext, step: Fraction) -> Fraction:
    """The smallest latency, in steps of one output sample, for which no future input is needed."""
    short, enough = -1, 0  # in steps; more delay never needs later input, so bisection finds it
    for again in range(_PASSES + _LONG_PASSES):
        late = _lookahead_missing(context, _propagate_requests(context, enough * step))
        if late <= 0:
            break
        growth = 2 ** max(0, again + 1 - _PASSES)
        short, enough = enough, enough + growth * math.ceil(late / step)
    else:
        tried = format_duration(enough * step)
        text = f"no latency up to {tried} is enough for the look-ahead of the nodes"
        context.problems.add("cannot-schedule", text, context.mark("output"))
        context.problems.raise_if_any()
    # The last step includes rounding to slower grids, which may not be necessary.
    tried = enough - 1
    while tried > short:
        if _lookahead_missing(context, _propagate_requests(context, tried * step)) <= 0:
            enough = tried
        else:
            short = tried
        tried = (short + enough) // 2
    return enough * step


def _lookahead_missing(context: CompileContext, asked: Asked) -> Fraction:
    """Seconds of future input or generator output that the requests need; at most 0 if none."""
    ends = [r.interval.on_grid(context.source.rate).end for r in asked.get(INPUT, {}).values()]
    generators = [ir for ir in context.nodes.values() if not ir.sources]
    ends += [out.end for ir in generators if (out := _asked_of(context, ir, asked))]
    return max(ends, default=Fraction(0))


def _propagate_requests(context: CompileContext, latency: Fraction) -> Asked:
    """Propagates requests from consumers to producers until none changes."""
    first = Request.of(-latency - context.block, -latency)
    asked: Asked = {context.output: {_OUTPUT: first}}
    order = _consumers_first(context)
    changed: set[str] = set()
    for _ in range(len(order) + 2):
        changed = {ir.name for ir in order if _ask_sources(context, ir, asked)}
        if not changed:
            return asked
    # Requests of a loop to itself that move later every round: look-ahead exceeds delay.
    for loop in loops(context):
        if changed.issuperset(loop):
            report_loop(context, loop)
    context.problems.raise_if_any()
    raise AssertionError("requests settle wherever no loop moves them")


def _ask_sources(context: CompileContext, ir: NodeIR, asked: Asked) -> bool:
    """Updates the requests to a node's sources; returns whether any changed."""
    out = _asked_of(context, ir, asked)
    if out is None:
        return False
    changed = False
    for port, request in _needs(context, ir, out).items():
        entry = asked.setdefault(ir.sources[port], {})
        changed |= entry.get((ir.name, port)) != request
        entry[ir.name, port] = request
    return changed


def _consumers_first(context: CompileContext) -> list[NodeIR]:
    """Nodes depth first from the output, producers last; loops are cut at any edge."""
    done: dict[str, NodeIR] = {}
    seen = {INPUT.node}
    todo = [(context.output.node, False)]
    while todo:
        name, finished = todo.pop()
        if finished:
            done[name] = context.nodes[name]
        elif name not in seen:
            seen.add(name)
            todo.append((name, True))
            todo.extend((ref.node, False) for ref in context.nodes[name].sources.values())
    return list(reversed(done.values()))


def _asked_of(context: CompileContext, ir: NodeIR, asked: Asked) -> Request | None:
    """One request for all outputs: one block for streams, the whole interval for windows."""
    requests = {
        port: merge(asked[ref].values())
        for port in ir.node.output_types
        if (ref := PortRef(ir.name, port)) in asked
    }
    if not requests:
        return None
    streams = [port for port in requests if not ir.windows[port]]
    if not streams:
        return merge(requests.values())
    grid = common_rate(ir.node.output_types[port].rate for port in streams)
    end = max(requests[port].end for port in requests)
    end = Fraction(math.ceil(end * grid)) / grid
    block = Request.of(end - context.block, end)
    return merge([block, *(r for port, r in requests.items() if ir.windows[port])])


def _needs(context: CompileContext, ir: NodeIR, out: Request) -> dict[str, Request]:
    try:
        found = ir.node.needs(ir.params, out)
    except (ValueError, VoicegraphError) as error:
        context.problems.add("cannot-schedule", f"{ir.name}: {error}", context.mark(*ir.path))
        context.problems.raise_if_any()
        raise
    return {port: found.get(port, out) for port in ir.sources}


def _assign(context: CompileContext, asked: Asked) -> None:
    """Sets ``asked`` of the outputs and ``given`` of the inputs of every node."""
    for ir in context.nodes.values():
        out = _asked_of(context, ir, asked)
        for port, found in ir.node.output_types.items():
            ref = PortRef(ir.name, port)
            entry = asked.get(ref)
            whole = merge(entry.values()) if entry else out
            if out is None or whole is None:
                continue
            if ir.windows[port]:
                span, core = ir.node.gives(ir.params, out), whole.core
                if not span.covers(core):
                    text = f"{ir.name} gives {span} of its `{port}`, but {core} is needed"
                    context.problems.add("cannot-schedule", text, context.mark(*ir.path))
            else:
                end = out.end
                span = core = Interval(end - context.block, end)
            ir.node.asked[port] = PortSpec(found, span, core, ir.windows[port])
    for ir in context.nodes.values():
        for port, ref in ir.sources.items():
            ir.node.given[port] = _given(context, ref, asked[ref][ir.name, port], asked)


def _given(context: CompileContext, ref: PortRef, request: Request, asked: Asked) -> PortSpec:
    """What a consumer gets: its interval on the producer's grid, and a window's extra margin."""
    found = context.type_of(ref)
    assert found is not None
    if not context.is_window(ref):
        return PortSpec(found, request.interval.on_grid(found.rate), request.core, False)
    made = context.nodes[ref.node].node.asked[ref.port]
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
