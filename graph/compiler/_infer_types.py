"""Phase: infers signal types from the input to the output."""

from __future__ import annotations

from ..node import Node
from ..signals import Audio, SignalType
from ._order import loop_members, loops
from ._type_errors import edge_mark, join_fix, mismatch, report_type_mismatch
from .node_ir import CompileContext, NodeIR
from .provenance import label_origins


def infer_types(context: CompileContext) -> None:
    """Infers the type of every connected port; reports every type mismatch."""
    waiting = dict(context.nodes)
    failed: set[str] = set()
    loop_start: list[NodeIR] = []
    while waiting:
        before = len(waiting)
        for ir in loop_start or list(waiting.values()):
            if loop_start or _ready(context, ir, whole=True):
                del waiting[ir.name]
                if not _infer(context, ir, failed):
                    failed.add(ir.name)
        loop_start = [] if len(waiting) < before else _loop_start(context, waiting)
        if len(waiting) == before and not loop_start:
            _report_untyped_loops(context)
            break
    _propagate_windows(context)
    for ir in context.nodes.values():
        if ir.name not in failed and ir.name not in waiting:
            _check_edges(context, ir)
    _check_output(context)


def _loop_start(context: CompileContext, waiting: dict[str, NodeIR]) -> list[NodeIR]:
    """A node at which inference can enter a loop: all its missing inputs are inside the loop."""
    for name, group in loop_members(context).items():
        ir = waiting.get(name)
        if ir is None or not _ready(context, ir, whole=False):
            continue
        missing = [ref for ref in ir.sources.values() if context.type_of(ref) is None]
        if all(ref.node in group for ref in missing):
            return [ir]
    return []


def _ready(context: CompileContext, ir: NodeIR, whole: bool) -> bool:
    """Whether all inputs are known, or (not ``whole``) those from which outputs inherit."""
    if whole:
        return all(context.type_of(ref) is not None for ref in ir.sources.values())
    known = _known(context, ir).keys()
    if type(ir.node).infer is not Node.infer:
        return ir.sources.keys() <= known
    return {out.like for out in ir.node.declared.outputs.values()} <= known


def _known(context: CompileContext, ir: NodeIR) -> dict[str, SignalType]:
    """Types of the inputs; an input still open in a loop takes the type of its `like` port."""
    found = {port: context.type_of(ref) for port, ref in ir.sources.items()}
    known = {port: t for port, t in found.items() if t is not None}
    declared = ir.node.declared.inputs
    for port in ir.sources:
        like = declared[port].like
        if like is not None and port in known:
            known.setdefault(like, known[port])
    for port in ir.sources:
        like = declared[port].like
        if like is not None and like in known:
            known.setdefault(port, known[like])
    return known


def _report_untyped_loops(context: CompileContext) -> None:
    """Reports loops without a type, unless an earlier error explains them."""
    if context.problems.found:
        return
    for loop in loops(context):
        refs = [ref for name in loop for ref in context.nodes[name].sources.values()]
        fed = any(context.type_of(ref) is not None for ref in refs)
        why = "depend on one another" if fed else "are unknown: nothing outside feeds it"
        context.problems.add(
            "loop",
            f"the types of the loop {' -> '.join([*loop, loop[0]])} {why}",
            context.mark("nodes", loop[0]),
            fix=f"feed it through dsp.mix, whose output has the type of its input: "
            f"nodes.{loop[0]}.in: mix",
        )


def _infer(context: CompileContext, ir: NodeIR, failed: set[str]) -> bool:
    if any(ref.node in failed for ref in ir.sources.values()):
        return False
    known = _known(context, ir)
    wrong = [p for p, t in known.items() if mismatch(ir.node.declared.inputs[p], t, known)]
    if wrong:
        for port in wrong:
            report_type_mismatch(context, ir, port, known)
        return False
    ir.node.input_types = known
    try:
        ir.node.output_types = label_origins(ir.node, known, ir.node.infer(ir.params, known))
    except ValueError as error:
        path = ("nodes", ir.name)
        context.problems.add("types-do-not-fit", f"{ir.name}: {error}", context.mark(*path))
        return False
    return True


def _propagate_windows(context: CompileContext) -> None:
    """Pure nodes that take a window give windows; repeated until nothing changes, for loops."""
    for ir in context.nodes.values():
        ir.windows = {name: out.window for name, out in ir.node.declared.outputs.items()}
    changed = True
    while changed:
        changed = False
        for ir in context.nodes.values():
            takes_window = any(context.is_window(ref) for ref in ir.sources.values())
            if ir.node.pure and takes_window and not ir.all_windows:
                ir.windows = dict.fromkeys(ir.windows, True)
                changed = True


def _check_edges(context: CompileContext, ir: NodeIR) -> None:
    """Checks types again now that loops are closed, and windows that enter stream inputs."""
    known = {p: t for p, ref in ir.sources.items() if (t := context.type_of(ref)) is not None}
    complete = len(known) == len(ir.sources)
    declared = ir.node.declared.inputs
    if complete:
        if ir.node.input_types != known:
            for port in [p for p, t in known.items() if mismatch(declared[p], t, known)]:
                report_type_mismatch(context, ir, port, known)
        ir.node.input_types = known
    if ir.all_windows:
        return
    for port, ref in ir.sources.items():
        if context.is_window(ref) and not declared[port].window:
            context.problems.add(
                "window-into-stream",
                f"{ref.node} feeds {ir.name}, which takes a stream, but {ref.node} gives "
                "windows, computed anew at every tick, whose blocks would not join",
                edge_mark(context, ir, port),
                fix=join_fix(context, ir, port),
            )


def _check_output(context: CompileContext) -> None:
    if context.is_window(context.output) and isinstance(context.type_of(context.output), Audio):
        name, source = context.new_name("sola"), context.written(context.output)
        entry = f"{{use: dsp.sola, in: {source}}}"
        context.problems.add(
            "window-into-stream",
            f"the output is {context.output.node}, which gives windows, computed anew at every "
            "tick, whose blocks would not join",
            context.mark("output"),
            fix=f"add to nodes:  {name}: {entry}\nand write  output: {name}",
        )
