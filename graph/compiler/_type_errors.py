"""Type errors: edges whose types do not fit, where both types come from, and a fix."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from voicegraph.schemas.quantities import format_rate

from ..errors import Mark, Problem
from ..loading.values import describe
from ..node import Node
from ..ports import In, PortRef
from ..signals import Audio, SignalType
from .node_ir import INPUT, CompileContext, NodeIR

Note = tuple[str, Mark | None]


def mismatch(declared: In, found: SignalType, inputs: dict[str, SignalType]) -> str | None:
    """What does not fit between an input and its source, as text; None if the types fit."""
    if not isinstance(found, declared.kind):
        return f"takes {declared.kind.kind}, but gives {found.kind}"
    if declared.rate is not None and found.rate != declared.rate:
        rate = format_rate(Fraction(declared.rate))
        return f"takes {found.kind} at {rate}, but gives {format_rate(found.rate)}"
    width = declared.channels if declared.channels is not None else declared.dim
    if width is not None and found.width != width:
        return f"takes {_width(found, width)}, but gives {_width(found, found.width)}"
    if declared.like and (other := inputs.get(declared.like)) is not None and other != found:
        return f"takes the same type as its `{declared.like}` ({other}), but gives {found}"
    return None


def _width(found: SignalType, width: int | None) -> str:
    name = "channels" if found.width_name == "channels" else "dimensions"
    return f"{width} {name.removesuffix('s') if width == 1 else name}"


def report_type_mismatch(
    context: CompileContext, ir: NodeIR, port: str, inputs: dict[str, SignalType]
) -> None:
    """Reports that the source of ``port`` has another type; ``inputs`` are the actual types."""
    ref = ir.sources[port]
    declared, found = ir.node.declared.inputs[port], inputs[port]
    what = mismatch(declared, found, inputs)
    like = ir.sources.get(declared.like) if declared.like else None
    rate = inputs[declared.like].rate if like and declared.like else declared.rate
    by = "rate" if rate not in (None, found.rate) else "width"
    notes = _origin_note(context, ref, by)
    if like and isinstance(found, declared.kind):
        notes += _origin_note(context, like, by)
    own = type(ir.node).declared.inputs.get(port)
    if own is not None and declared.doc != own.doc:
        notes.append((f"{ir.name}  {declared.doc}", context.mark("nodes", ir.name, "params")))
    fix = declared.fix or _fix(context, ir, port, inputs)
    if off := _switched_off(context, ir, port):
        mark = context.mark("nodes", off, "enabled")
        notes.append((f"{off} is switched off, so it passes its input through", mark))
        fix = f"nodes.{off}.enabled: true"
    text, mark = (
        f"{ref.node} feeds {consumer(ir, port)}, which {what}",
        edge_mark(context, ir, port),
    )
    problem = Problem("types-do-not-fit", text, mark, tuple(notes), fix)
    origin = type_source(context, ref, by)
    if origin is None or not _add_to_same_origin(context, problem, origin.node):
        context.problems.found.append(problem)


def _add_to_same_origin(context: CompileContext, problem: Problem, origin: str) -> bool:
    """Adds an edge to the problem of another edge with the same cause; False if there is none.

    The cause is the same if the type comes from the same node, and the fix is the same (or there
    is none for either).
    """
    for i, other in enumerate(context.problems.found):
        same = (other.code, other.fix, other.notes) == (problem.code, problem.fix, problem.notes)
        if same and other.notes and other.notes[0][0].startswith(f"{origin}  "):
            note = (f"also {problem.message}", problem.mark)
            context.problems.found[i] = replace(other, notes=(*other.notes, note))
            return True
    return False


def consumer(ir: NodeIR, port: str) -> str:
    """The name of an input in messages."""
    return ir.name if len(ir.node.declared.inputs) == 1 else f"{ir.name}.{port}"


def edge_mark(context: CompileContext, ir: NodeIR, port: str) -> Mark:
    """The place in the file where the edge is written."""
    return context.mark("nodes", ir.name, "in", port)


def _switched_off(context: CompileContext, ir: NodeIR, port: str) -> str | None:
    """The node that the file names as source, if it is off and passes another type through."""
    wanted = ir.spec.inputs
    written = wanted if isinstance(wanted, str) else (wanted or {}).get(port, "")
    name = written.partition(".")[0]
    off = context.bypassed.get(name)
    return name if off is not None and not _keeps_type(off) else None


def _keeps_type(ir: NodeIR) -> bool:
    """Whether output and input of a node have the same type, so that bypassing keeps it."""
    takes = next(iter(ir.node.declared.inputs), "")
    gives = next(iter(ir.node.declared.outputs.values()))
    own = (gives.rate, gives.channels, gives.dim) != (None, None, None)
    return gives.like == takes and not own and type(ir.node).infer is Node.infer


def _origin_note(context: CompileContext, ref: PortRef, by: str) -> list[Note]:
    """One line with the place that set a type's rate or width."""
    origin = type_source(context, ref, by)
    if origin is None:
        return []
    found = context.type_of(origin)
    if origin == INPUT:
        return [(f"input  {found} <- input.rate, input.channels", context.mark("input"))]
    ir = context.nodes[origin.node]
    own = _own_rate(ir, found) if by == "rate" else None
    path = own.split(".") if own else ["use"]
    text = f"{origin.node}  {found} <- {own or ir.node.use}"
    return [(text, context.mark("nodes", origin.node, *path))]


def type_source(context: CompileContext, ref: PortRef, by: str) -> PortRef | None:
    """Traces a rate, width or origin back to the port that sets it; None inside a loop."""
    seen: set[PortRef] = set()
    while ref not in seen:
        seen.add(ref)
        if ref == INPUT:
            return ref
        found, ir = context.type_of(ref), context.nodes[ref.node]
        like = ir.node.declared.outputs[ref.port].like
        source = ir.sources.get(like) if like else None
        before = context.type_of(source) if source else None
        own = by == "rate" and _own_rate(ir, found)
        if own or source is None or getattr(before, by, None) != getattr(found, by):
            return ref
        ref = source
    return None


def _widened(context: CompileContext, ref: PortRef, width: int | None) -> str | None:
    """The fix that sets params of the node that decides a width."""
    origin = type_source(context, ref, "width")
    ir = context.nodes.get(origin.node) if origin else None
    if ir is None or not width:
        return None
    params = ir.node.widened(ir.params, width)
    written = [f"nodes.{ir.name}.params.{key}: {describe(v)}" for key, v in params.items()]
    return "\n".join(written) or None


def _own_rate(ir: NodeIR, found: SignalType | None) -> str | None:
    """The name of the param that decides the rate; None if no param does."""
    if found is None or getattr(ir.params, "rate", None) != found.rate:
        return None
    return "params.rate"


def _fix(
    context: CompileContext, ir: NodeIR, port: str, inputs: dict[str, SignalType]
) -> str | None:
    """The fix: a param to change, or a node to add."""
    ref = ir.sources[port]
    declared, found = ir.node.declared.inputs[port], inputs[port]
    target = inputs.get(declared.like) if declared.like else None
    if not isinstance(found, declared.kind):
        return _same_kind(context, ir, port)
    rate = Fraction(declared.rate) if declared.rate else (target.rate if target else None)
    off = rate if rate != found.rate else None
    if isinstance(found, Audio):
        channels = declared.channels or (target.width if target else None)
        return _audio_fix(context, ir, port, found, off, channels)
    feed = f"feed {ir.name} from nodes that give "
    if off is not None:
        return f"{feed}{found.kind} at {format_rate(off)}"
    other = f"{feed}{_width(found, declared.dim)}" if declared.dim else None
    return _widened(context, ref, declared.dim) or other


def _audio_fix(
    context: CompileContext,
    ir: NodeIR,
    port: str,
    found: Audio,
    rate: Fraction | None,
    channels: int | None,
) -> str | None:
    """The fix of audio that has not the ``rate`` (None: it has), or not the ``channels``."""
    if rate is not None:
        ref = ir.sources[port]
        source = context.nodes.get(ref.node)
        if source is not None and _own_rate(source, found):
            return f"nodes.{ref.node}.params.rate: {rate}"
        return context.insertion(ir, port, f"to{_khz(rate)}", "dsp.resample", f"rate: {rate}")
    if channels == 1:
        return context.insertion(ir, port, "mono", "dsp.to_mono")
    if channels:
        params = f"channels: {channels}" if channels != 2 else ""
        return context.insertion(ir, port, "wide", "dsp.to_stereo", params)
    return None


def _khz(rate: Fraction) -> str:
    return f"{float(rate / 1000):g}k".replace(".", "_")


def _same_kind(context: CompileContext, ir: NodeIR, port: str) -> str | None:
    """An output of the right kind, of the same source node or else of any node."""
    kind = ir.node.declared.inputs[port].kind
    known = {**context.nodes, **context.pruned}
    first = ir.sources[port].node
    for name in sorted(known, key=lambda name: name != first):
        for out, declared in known[name].node.declared.outputs.items():
            if declared.kind is kind and name != ir.name:
                own = next(iter(known[name].node.declared.outputs))
                return f"nodes.{ir.name}.in.{port}: {name}" + ("" if out == own else f".{out}")
    return None


def join_fix(context: CompileContext, ir: NodeIR, port: str) -> str:
    """The fix for a window that feeds a stream input."""
    ref = ir.sources[port]
    if isinstance(context.type_of(ref), Audio):
        return context.insertion(ir, port, "sola", "dsp.sola")
    kind = ir.node.declared.inputs[port].kind.kind
    return f"nodes.{ir.name}.use: a node that takes windows of {kind} (voicegraph nodes)"
