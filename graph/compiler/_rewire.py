"""Phases that change the wiring: nodes switched off, what a driver puts at both ends, pruning."""

from __future__ import annotations

from fractions import Fraction

from voicegraph.schemas.pipeline import NodeSpec

from .. import registry
from ..ports import PortRef
from ..signals import Audio
from ._connect import reaching_output
from .node_ir import INPUT, CompileContext, NodeIR


def bypass(context: CompileContext) -> None:
    """Nodes with ``enabled`` null or false pass their first input through, and go."""
    off = {name: ir for name, ir in context.nodes.items() if not ir.spec.enabled}
    context.bypassed = off
    context.nodes = {name: ir for name, ir in context.nodes.items() if name not in off}
    _redirect(context, {out: ref for ir in off.values() for out, ref in _pass_through(ir).items()})
    read = [ref for ir in context.nodes.values() for ref in ir.sources.values()]
    for ref in dict.fromkeys([*read, context.output]):
        if ref.node in off:
            _report_bypass_gap(context, off[ref.node], ref.port)


def _pass_through(ir: NodeIR) -> dict[PortRef, PortRef]:
    """The first output to what feeds the first input, where both are of one kind."""
    (takes, *_), (gives, *_) = [*ir.node.declared.inputs, ""], [*ir.node.declared.outputs, ""]
    source = ir.sources.get(takes)
    if source is None or not gives or _kinds(ir, takes, gives) is not None:
        return {}
    return {PortRef(ir.name, gives): source}


def _kinds(ir: NodeIR, takes: str, gives: str) -> tuple[str, str] | None:
    """Names of the two kinds, where they differ."""
    one = ir.node.declared.inputs[takes].kind
    other = ir.node.declared.outputs[gives].kind
    return None if one is other else (one.kind, other.kind)


def _report_bypass_gap(context: CompileContext, ir: NodeIR, port: str) -> None:
    """A node that is off leaves a gap where something reads what it cannot pass through."""
    inputs, outputs = list(ir.node.declared.inputs), list(ir.node.declared.outputs)
    name = f"{ir.name} ({ir.node.use}) is off, "
    if not inputs:
        text = name + "but it has nothing to pass through"
    elif port != outputs[0]:
        text = name + f"so nothing makes its output `{port}`, which is used"
    elif (kinds := _kinds(ir, inputs[0], port)) is not None:
        text = name + f"but it cannot pass {kinds[0]} through as {kinds[1]}"
    elif inputs[0] in ir.sources:
        text = name + "and what feeds it is off, too: it has nothing to pass through"
    else:
        return  # that its input is missing is reported where the node stands
    mark = context.mark(*ir.path, "enabled")
    context.problems.add("cannot-bypass", text, mark, fix=f"nodes.{ir.name}.enabled: true")


def _redirect(context: CompileContext, detours: dict[PortRef, PortRef]) -> None:
    def follow(ref: PortRef) -> PortRef:
        seen: set[PortRef] = set()
        while ref in detours and ref not in seen:
            seen.add(ref)
            ref = detours[ref]
        return ref

    for ir in context.nodes.values():
        ir.sources = {port: follow(ref) for port, ref in ir.sources.items()}
    context.output = follow(context.output)


def adapt_input(context: CompileContext) -> None:
    """Brings a driver's rate and channel count to what the file declares for ``input``.

    The nodes are ordinary ones, so they show in the plan and their latency counts.
    """
    want = Audio(context.file.input.rate, context.file.input.channels)
    chain = _chain(context, "input", context.source, want)
    last = _wire_chain(chain, INPUT)
    if chain and INPUT in (context.output, *context.consumers()):
        _redirect(context, {INPUT: last})
        context.nodes = {**{ir.name: ir for ir in chain}, **context.nodes}


def adapt_output(context: CompileContext, have: Audio, want: Audio) -> None:
    """Brings the pipeline's output, which is ``have``, to what a driver takes."""
    chain = _chain(context, "output", have, want)
    context.output = _wire_chain(chain, context.output)
    context.nodes.update({ir.name: ir for ir in chain})


def _chain(context: CompileContext, side: str, have: Audio, want: Audio) -> list[NodeIR]:
    """Channels are reduced before resampling and added after it, which does the least work."""
    chain: list[NodeIR] = []
    if have.channels != want.channels and have.channels > 1:
        chain.append(_adapter(context, f"{side}.to_mono", "dsp.to_mono"))
    if have.rate != want.rate:
        chain.append(_adapter(context, f"{side}.resample", "dsp.resample", rate=want.rate))
    if have.channels != want.channels and want.channels > 1:
        chain.append(
            _adapter(context, f"{side}.to_stereo", "dsp.to_stereo", channels=want.channels)
        )
    return chain


def _wire_chain(chain: list[NodeIR], last: PortRef) -> PortRef:
    """Feeds each by the one before, the first by ``last``; the port at the end."""
    for ir in chain:
        ir.sources = {next(iter(ir.node.declared.inputs)): last}
        last = PortRef(ir.name, next(iter(ir.node.declared.outputs)))
    return last


def _adapter(context: CompileContext, name: str, use: str, **values: Fraction | int) -> NodeIR:
    node = registry.find(use)()
    params = node.Params.model_validate(values)
    node.name, node.seed, node.block = name, context.file.seed, context.block
    node.declared = node.ports(params)
    return NodeIR(name, node, params, NodeSpec.model_validate({"use": use}))


def drop_incomplete(context: CompileContext) -> None:
    """After mistakes: keeps the nodes whose inputs all lead back to sound nodes.

    Those from which nothing reaches the output are none of them: without mistakes they are pruned.
    """
    used = reaching_output(context)
    context.nodes = {name: ir for name, ir in context.nodes.items() if name in used}
    while True:
        unsound = [
            ir.name
            for ir in context.nodes.values()
            if any(ref != INPUT and ref.node not in context.nodes for ref in ir.sources.values())
            or any(
                port not in ir.sources and not declared.optional
                for port, declared in ir.node.declared.inputs.items()
            )
        ]
        if not unsound:
            break
        for name in unsound:
            del context.nodes[name]
    if context.output.node not in context.nodes:
        context.output = INPUT


def prune(context: CompileContext) -> None:
    """Leaves out nodes from which nothing reaches the output."""
    reached: set[str] = set()
    todo = [context.output.node]
    while todo:
        name = todo.pop()
        if name in reached or name == INPUT.node:
            continue
        reached.add(name)
        todo.extend(ref.node for ref in context.nodes[name].sources.values())
    context.pruned = {name: ir for name, ir in context.nodes.items() if name not in reached}
    context.nodes = {name: ir for name, ir in context.nodes.items() if name in reached}
