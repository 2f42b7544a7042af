"""Phases that change the wiring: nodes switched off, what a driver puts at both ends, pruning."""

from __future__ import annotations

from fractions import Fraction

from voicegraph.schemas.pipeline import NodeSpec

from .. import registry
from ..ports import PortRef
from ..signals import Audio
from ._connect import feeders
from .node_ir import INPUT, Draft, Sheet


def bypass(sheet: Sheet) -> None:
    """Nodes with ``enabled`` null or false pass their first input through, and go."""
    off = {name: draft for name, draft in sheet.drafts.items() if not draft.spec.enabled}
    sheet.bypassed = off
    sheet.drafts = {name: draft for name, draft in sheet.drafts.items() if name not in off}
    _redirect(sheet, {out: ref for draft in off.values() for out, ref in _detour(draft).items()})
    read = [ref for draft in sheet.drafts.values() for ref in draft.sources.values()]
    for ref in dict.fromkeys([*read, sheet.output]):
        if ref.node in off:
            _report_gap(sheet, off[ref.node], ref.port)


def _detour(draft: Draft) -> dict[PortRef, PortRef]:
    """The first output to what feeds the first input, where both are of one kind."""
    (takes, *_), (gives, *_) = [*draft.node.declared.inputs, ""], [*draft.node.declared.outputs, ""]
    source = draft.sources.get(takes)
    if source is None or not gives or _kinds(draft, takes, gives) is not None:
        return {}
    return {PortRef(draft.name, gives): source}


def _kinds(draft: Draft, takes: str, gives: str) -> tuple[str, str] | None:
    """Names of the two kinds, where they differ."""
    one = draft.node.declared.inputs[takes].kind
    other = draft.node.declared.outputs[gives].kind
    return None if one is other else (one.kind, other.kind)


def _report_gap(sheet: Sheet, draft: Draft, port: str) -> None:
    """A node that is off leaves a gap where something reads what it cannot pass through."""
    inputs, outputs = list(draft.node.declared.inputs), list(draft.node.declared.outputs)
    name = f"{draft.name} ({draft.node.use}) is off, "
    if not inputs:
        text = name + "but it has nothing to pass through"
    elif port != outputs[0]:
        text = name + f"so nothing makes its output `{port}`, which is used"
    elif (kinds := _kinds(draft, inputs[0], port)) is not None:
        text = name + f"but it cannot pass {kinds[0]} through as {kinds[1]}"
    elif inputs[0] in draft.sources:
        text = name + "and what feeds it is off, too: it has nothing to pass through"
    else:
        return  # that its input is missing is reported where the node stands
    mark = sheet.mark(*draft.path, "enabled")
    sheet.problems.add("cannot-bypass", text, mark, fix=f"nodes.{draft.name}.enabled: true")


def _redirect(sheet: Sheet, detours: dict[PortRef, PortRef]) -> None:
    def follow(ref: PortRef) -> PortRef:
        seen: set[PortRef] = set()
        while ref in detours and ref not in seen:
            seen.add(ref)
            ref = detours[ref]
        return ref

    for draft in sheet.drafts.values():
        draft.sources = {port: follow(ref) for port, ref in draft.sources.items()}
    sheet.output = follow(sheet.output)


def adapt_input(sheet: Sheet) -> None:
    """Brings a driver's rate and channel count to what the file declares for ``input``.

    The nodes are ordinary ones, so they show in the plan and their latency counts.
    """
    want = Audio(sheet.file.input.rate, sheet.file.input.channels)
    chain = _chain(sheet, "input", sheet.source, want)
    last = _string(chain, INPUT)
    if chain and INPUT in (sheet.output, *sheet.consumers()):
        _redirect(sheet, {INPUT: last})
        sheet.drafts = {**{draft.name: draft for draft in chain}, **sheet.drafts}


def adapt_output(sheet: Sheet, have: Audio, want: Audio) -> None:
    """Brings the pipeline's output, which is ``have``, to what a driver takes."""
    chain = _chain(sheet, "output", have, want)
    sheet.output = _string(chain, sheet.output)
    sheet.drafts.update({draft.name: draft for draft in chain})


def _chain(sheet: Sheet, side: str, have: Audio, want: Audio) -> list[Draft]:
    """Channels are reduced before resampling and added after it, which does the least work."""
    chain: list[Draft] = []
    if have.channels != want.channels and have.channels > 1:
        chain.append(_adapter(sheet, f"{side}.to_mono", "dsp.to_mono"))
    if have.rate != want.rate:
        chain.append(_adapter(sheet, f"{side}.resample", "dsp.resample", rate=want.rate))
    if have.channels != want.channels and want.channels > 1:
        chain.append(_adapter(sheet, f"{side}.to_stereo", "dsp.to_stereo", channels=want.channels))
    return chain


def _string(chain: list[Draft], last: PortRef) -> PortRef:
    """Feeds each by the one before, the first by ``last``; the port at the end."""
    for draft in chain:
        draft.sources = {next(iter(draft.node.declared.inputs)): last}
        last = PortRef(draft.name, next(iter(draft.node.declared.outputs)))
    return last


def _adapter(sheet: Sheet, name: str, use: str, **values: Fraction | int) -> Draft:
    node = registry.find(use)()
    params = node.Params.model_validate(values)
    node.name, node.seed, node.block = name, sheet.file.seed, sheet.block
    node.declared = node.ports(params)
    return Draft(name, node, params, NodeSpec.model_validate({"use": use}))


def keep_sound(sheet: Sheet) -> None:
    """After mistakes: keeps the nodes whose inputs all lead back to sound nodes.

    Those from which nothing reaches the output are none of them: without mistakes they are pruned.
    """
    used = feeders(sheet)
    sheet.drafts = {name: draft for name, draft in sheet.drafts.items() if name in used}
    while True:
        unsound = [
            draft.name
            for draft in sheet.drafts.values()
            if any(ref != INPUT and ref.node not in sheet.drafts for ref in draft.sources.values())
            or any(
                port not in draft.sources and not declared.optional
                for port, declared in draft.node.declared.inputs.items()
            )
        ]
        if not unsound:
            break
        for name in unsound:
            del sheet.drafts[name]
    if sheet.output.node not in sheet.drafts:
        sheet.output = INPUT


def prune(sheet: Sheet) -> None:
    """Leaves out nodes from which nothing reaches the output."""
    reached: set[str] = set()
    todo = [sheet.output.node]
    while todo:
        name = todo.pop()
        if name in reached or name == INPUT.node:
            continue
        reached.add(name)
        todo.extend(ref.node for ref in sheet.drafts[name].sources.values())
    sheet.pruned = {name: draft for name, draft in sheet.drafts.items() if name not in reached}
    sheet.drafts = {name: draft for name, draft in sheet.drafts.items() if name in reached}
