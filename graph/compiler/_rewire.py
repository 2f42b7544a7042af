"""Phases that change connections: bypassed nodes, adapters for a driver's audio, pruning."""

from __future__ import annotations

from fractions import Fraction

from voicegraph.schemas.pipeline import NodeSpec

from .. import registry
from ..ports import PortRef
from ..signals import Audio
from ._connect import reaching_output
from .node_ir import INPUT, CompileContext, NodeIR


def bypass(context: CompileContext) -> None:
    """Replaces nodes with ``enabled`` null or false by what feeds their first input."""
    off = {name: ir for name, ir in context.nodes.items() if not ir.spec.enabled}
    context.bypassed = off
    context.nodes = {name: ir for name, ir in context.nodes.items() if name not in off}
    _redirect(context, {out: ref for ir in off.values() for out, ref in _pass_through(ir).items()})
    read = [ref for ir in context.nodes.values() for ref in ir.sources.values()]
    for ref in dict.fromkeys([*read, context.output]):
        if ref.node in off:
            _report_bypass_gap(context, off[ref.node], ref.port)


def _pass_through(ir: NodeIR) -> dict[PortRef, PortRef]:
    """First output -> source of the first input, if both have the same kind."""
    (takes, *_), (gives, *_) = [*ir.node.declared.inputs, ""], [*ir.node.declared.outputs, ""]
    source = ir.sources.get(takes)
    if source is None or not gives or _kinds(ir, takes, gives) is not None:
        return {}
    return {PortRef(ir.name, gives): source}


def _kinds(ir: NodeIR, takes: str, gives: str) -> tuple[str, str] | None:
    """Names of the kinds of an input and an output; None if they are equal."""
    one = ir.node.declared.inputs[takes].kind
    other = ir.node.declared.outputs[gives].kind
    return None if one is other else (one.kind, other.kind)


def _report_bypass_gap(context: CompileContext, ir: NodeIR, port: str) -> None:
    """Reports an output of a bypassed node that is read, but cannot be passed through."""
    inputs, outputs = list(ir.node.declared.inputs), list(ir.node.declared.outputs)
    name = f"{ir.name} ({ir.node.use}) is off, "
    if not inputs:
        text = name + "but it has nothing to pass through"
    elif port != outputs[0]:
        text = name + f"so nothing makes its output `{port}`, which is used"
    elif (kinds := _kinds(ir, inputs[0], port)) is not None:
        text = name + f"but it cannot pass {kinds[0]} through as {kinds[1]}"
    elif inputs[0] in ir.sources:
        text = name + "and its source is off, too, so it has nothing to pass through"
    else:
        return  # the missing input is reported at the node
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
    """Converts a driver's rate and channel count to what the file declares for ``input``.

    The adapters are ordinary nodes: the plan shows them, and their latency counts.
    """
    want = Audio(context.file.input.rate, context.file.input.channels)
    chain = _chain(context, "input", context.source, want)
    last = _wire_chain(chain, INPUT)
    if chain and INPUT in (context.output, *context.consumers()):
        _redirect(context, {INPUT: last})
        context.nodes = {**{ir.name: ir for ir in chain}, **context.nodes}


def adapt_output(context: CompileContext, have: Audio, want: Audio) -> None:
    """Converts the pipeline's output from ``have`` to what a driver takes."""
    chain = _chain(context, "output", have, want)
    context.output = _wire_chain(chain, context.output)
    context.nodes.update({ir.name: ir for ir in chain})


def _chain(context: CompileContext, side: str, have: Audio, want: Audio) -> list[NodeIR]:
    """Adapters. Channels are removed before resampling and added after it, which is cheapest."""
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
    """Connects a chain of nodes, the first to ``last``; returns the port at its end."""
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
    """After mistakes: keeps only nodes whose sources are complete and without mistakes.

    Nodes from which nothing reaches the output are removed too, as pruning would do.
    """
    used = reaching_output(context)
    context.nodes = {name: ir for name, ir in context.nodes.items() if name in used}
    while True:
        incomplete = [
            ir.name
            for ir in context.nodes.values()
            if any(ref != INPUT and ref.node not in context.nodes for ref in ir.sources.values())
            or any(
                port not in ir.sources and not declared.optional
                for port, declared in ir.node.declared.inputs.items()
            )
        ]
        if not incomplete:
            break
        for name in incomplete:
            del context.nodes[name]
    if context.output.node not in context.nodes:
        context.output = INPUT


def prune(context: CompileContext) -> None:
    """Removes nodes from which nothing reaches the output."""
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
